// SPDX-License-Identifier: BSL-1.0
// Macros that other people's headers define before they include ours: lower-case words and short capitals,
// which a library in a namespace would otherwise feel safe to use. None is ever undefined by those who define
// it. A macro with arguments is no C++ here, whatever it is there: some are empty, and would take our code
// away without an error.

// windows.h
#define min(a, b) @
#define max(a, b) @
#define small char
#define hyper __int64
#define near
#define far
#define pascal __stdcall
#define cdecl
#define interface struct
#define IN
#define OUT
#define OPTIONAL
#define THIS INTERFACE* This
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define ERROR 0
#define NO_ERROR 0L
#define IGNORE 0
#define INFINITE 0xFFFFFFFF
#define STRICT 1
#define DELETE (0x00010000L)
#define ABSOLUTE 1
#define RELATIVE 2
#define OPAQUE 2
#define TRANSPARENT 1
#define DIFFERENCE 11
#define GetObject GetObjectW
#define CreateEvent CreateEventW
#define SendMessage SendMessageW
#define Yield() @

// Qt, without QT_NO_KEYWORDS
#define signals public
#define slots
#define emit
#define foreach(variable, container) @
#define forever for (;;)

// macOS: AssertMacros.h, before it asks for __ASSERT_MACROS_DEFINE_VERSIONS_WITHOUT_UNDERSCORES
#define check(assertion) @
#define verify(assertion) @
#define require(assertion, label) @
#define check_noerr(code) @
#define verify_action(assertion, action) @
// Objective-C
#define nil nullptr
#define YES 1
#define NO 0

// X11/X.h, X11/Xlib.h
#define None 0L
#define Bool int
#define Status int
#define True 1
#define False 0
#define Success 0
#define Always 2
#define Above 0
#define Below 1
#define Unsorted 0
#define Complex 0
#define Opposite 4
#define KeyPress 2

// sys/sysmacros.h of older C libraries, which sys/types.h included
#define major(device) @
#define minor(device) @
#define makedev(major, minor) @

// Linux headers, and everyone who took them from there
#define likely(condition) @
#define unlikely(condition) @
#define container_of(pointer, type, member) @

// sys/param.h, glib.h
#define MIN(a, b) @
#define MAX(a, b) @
#define CLAMP(x, low, high) @
#define ABS(a) @

// libintl.h
#define _(text) @

// glog, syslog.h and test frameworks
#define CHECK(condition) @
#define LOG(severity) @
#define INFO 0
#define WARNING 1
#define FATAL 3
#define DEBUG 4
#define FAIL() @
