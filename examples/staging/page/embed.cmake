# SPDX-License-Identifier: BSL-1.0
# cmake -DFILES=<list> -DOUTPUT=<C++ file> -P embed.cmake turns files into constants: page.js becomes
# page_files::page_js, of the type that routes/page_files.hpp declares.
cmake_minimum_required(VERSION 3.24)

set(code "// Made by embed.cmake: change the files that it is made of.\n#include \"routes/page_files.hpp\"\n")
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  string(MAKE_C_IDENTIFIER "${name}" name)
  file(READ "${file}" bytes HEX)
  if(bytes STREQUAL "")
    message(FATAL_ERROR "${file} is empty")
  endif()
  # Bytes and not a string literal, sixteen a line: MSVC takes no literal of more than 16 380 bytes, and no endless line.
  string(REPEAT "." 32 line)
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND code "\nnamespace {\nconstexpr char bytes_of_${name}[] = {\n${bytes}};\n}\n"
                     "const std::string_view staging::page_files::${name}{bytes_of_${name}, sizeof bytes_of_${name}};\n")
endforeach()
file(WRITE "${OUTPUT}" "${code}")
