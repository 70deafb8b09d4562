# SPDX-License-Identifier: BSL-1.0
plant_header(detector/planted.hpp "struct planted {\n  [[nodiscard]] judgement judge(int marks) const;\n};")
expect_violation("detector/planted.hpp:1: planted is not instantiated by tests/static/every_template.cpp")

plant_header(health/planted.hpp "template <class T>\nclass planted_class {};")
expect_violation("planted_class is not instantiated by tests/static/every_template.cpp")

plant_header(health/detail/planted.hpp "template <class T>\nclass planted {};")
expect_clean("an internal class is instantiated by those that use it")

plant_header(health/planted.hpp "template <class T>\nstruct planted {\n  T value;\n};")
expect_clean("an aggregate has no code")
