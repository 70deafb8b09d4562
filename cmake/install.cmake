# SPDX-License-Identifier: BSL-1.0
# Headers, and a package that `find_package(brownout 0.1)` finds.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/brownout)

# Two exports, so that whoever asks for the component `core` alone needs neither Boost nor fmt.
install(TARGETS brownout_core EXPORT brownout-core FILE_SET HEADERS)
install(EXPORT brownout-core NAMESPACE brownout:: DESTINATION ${package_dir})
if(NOT BROWNOUT_CORE_ONLY)
  install(TARGETS brownout EXPORT brownout-brownout FILE_SET HEADERS)
  install(EXPORT brownout-brownout NAMESPACE brownout:: DESTINATION ${package_dir})
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/brownout-config.cmake.in
                              ${PROJECT_BINARY_DIR}/brownout-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor release may break: 0.1 is satisfied by 0.1.x only.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/brownout-config-version.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/brownout-config.cmake ${PROJECT_BINARY_DIR}/brownout-config-version.cmake
        DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
