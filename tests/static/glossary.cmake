# SPDX-License-Identifier: BSL-1.0
# A word that only this project uses is explained in docs/glossary.md and linked where a page first uses it. Headings, code
# and the glossary itself do not count.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/markdown.cmake)

# Heading in the glossary = its forms in a text.
set(words "epoch=epochs?" "era=eras?" "marks=marks" "lease=leases?" "ramp=ramps?" "trust=trust(ed)?" "dwell=dwells?")
set(glossary docs/glossary.md)

if(NOT EXISTS ${ROOT}/${glossary})
  violation(${glossary} 1 "there is no glossary")
else()
  read_source(${glossary} text)
  string(TOLOWER "${text}" text)
  foreach(word IN LISTS words)
    string(REGEX REPLACE "=.*" "" heading "${word}")
    if(NOT text MATCHES "\n### ${heading}\n")
      violation(${glossary} 1 "does not explain ${heading}")
    endif()
  endforeach()
endif()

# Where `pattern` is first found; -1: nowhere.
function(first_of text pattern out)
  string(REGEX MATCH "${pattern}" match "${text}")
  set(at -1)
  if(NOT match STREQUAL "")
    string(FIND "${text}" "${match}" at)
  endif()
  set(${out} ${at} PARENT_SCOPE)
endfunction()

find_sources(pages docs/*.md README.md SECURITY.md)
list(FILTER pages EXCLUDE REGEX "^docs/(glossary|benchmarks)\\.md$|^docs/studies/")
foreach(page IN LISTS pages)
  read_source(${page} text)
  prose_of("${text}" text)
  string(REGEX REPLACE "\n#+ [^\n]*" "\n" text "${text}")
  foreach(word IN LISTS words)
    string(REGEX REPLACE "=.*" "" heading "${word}")
    string(REGEX REPLACE ".*=" "" forms "${word}")
    first_of("${text}" "[^A-Za-z#/_-]${forms}[^A-Za-z_-]" used)
    first_of("${text}" "\\[[^]]*${forms}[^]]*\\]\\([^)]*glossary\\.md#${heading}\\)" linked)
    if(NOT used EQUAL -1 AND (linked EQUAL -1 OR linked GREATER used))
      line_of("${text}" ${used} line)
      violation(${page} ${line} "the first ${heading} of a page is linked to the glossary")
    endif()
  endforeach()
endforeach()

finish()
