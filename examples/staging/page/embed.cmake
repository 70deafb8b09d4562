# SPDX-License-Identifier: BSL-1.0
# cmake -DFILES=<list> -DOUTPUT=<C++ file> -P embed.cmake turns files into constants, and lists them with their names in
# page_files, which routes/page_files.hpp declares.
cmake_minimum_required(VERSION 3.24)

set(code "// Made by embed.cmake: change the files that it is made of.\n#include \"routes/page_files.hpp\"\n\nnamespace {\n")
set(table "")
string(REPEAT "." 32 line)
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  string(MAKE_C_IDENTIFIER "bytes_of_${name}" constant)
  file(READ "${file}" bytes HEX)
  if(bytes STREQUAL "")
    message(FATAL_ERROR "${file} is empty")
  endif()
  # Bytes and not a string literal, sixteen a line: MSVC takes no literal of more than 16 380 bytes, and no endless line.
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND code "constexpr char ${constant}[] = {\n${bytes}};\n")
  string(APPEND table "    {\"${name}\", {${constant}, sizeof ${constant}}},\n")
endforeach()
string(APPEND code "constexpr staging::page_file files[] = {\n${table}};\n}\n"
                   "const std::span<const staging::page_file> staging::page_files{files};\n")
file(WRITE "${OUTPUT}" "${code}")
