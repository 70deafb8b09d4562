# SPDX-License-Identifier: BSL-1.0
function(plant_in_workflow old new)
  file(READ ${copy}/.github/workflows/ci.yml text)
  string(FIND "${text}" "${old}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "ci.yml has no '${old}' to replace")
  endif()
  string(REPLACE "${old}" "${new}" text "${text}")
  file(WRITE ${copy}/.github/workflows/ci.yml "${text}")
endfunction()

plant_in_workflow("matrix.label }}\n    runs-on" "matrix.lable }}\n    runs-on")
expect_violation("property \"lable\" is not defined")

plant_in_workflow("group: \${{ github.workflow }}" "group: \${{ workflow() }}")
expect_violation("undefined function \"workflow\"")

plant_in_workflow("runs-on: macos-15" "runs-on: macos-55")
expect_violation("label \"macos-55\" is unknown")

plant_in_workflow("permissions:\n  contents: read\n" "")
expect_violation("begins with more than permission to read")

file(APPEND ${copy}/.github/workflows/ci.yml "      - uses: actions/checkout@v4\n")
expect_violation("not pinned to a commit with its version as a comment: actions/checkout@v4")
