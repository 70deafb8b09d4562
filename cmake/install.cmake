# SPDX-License-Identifier: BSL-1.0
# Headers, a package that `find_package(brownout 0.1)` finds, and files for pkg-config. Two components:
#
#     brownout_core    brownout::core
#     brownout         the rest of the library, which needs brownout_core beside it
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# share/, not lib/: nothing here depends on an architecture.
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/brownout)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)

# CMake 3.25 exports an absolute CMAKE_INSTALL_INCLUDEDIR, which Nix sets, as a path below the prefix. The same path
# relative to the prefix is exported well.
set(include_dir ${CMAKE_INSTALL_INCLUDEDIR})
cmake_path(ABSOLUTE_PATH include_dir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX})
cmake_path(RELATIVE_PATH include_dir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX})

# The targets with their headers as an export.
function(install_export name component)
  install(TARGETS ${ARGN} EXPORT brownout-${name}
          FILE_SET HEADERS DESTINATION ${include_dir} COMPONENT ${component}
          FILE_SET internal DESTINATION ${include_dir} COMPONENT ${component})
  install(EXPORT brownout-${name} NAMESPACE brownout:: DESTINATION ${package_dir} COMPONENT ${component})
endfunction()

# An export for each: only COMPONENTS asio needs Boost, and only COMPONENTS prometheus_cpp needs prometheus-cpp.
install_export(core brownout_core brownout_core)
install_export(brownout brownout brownout)
install_export(asio brownout brownout_asio)
install_export(prometheus_cpp brownout brownout_prometheus_cpp)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/brownout-config.cmake.in
                              ${PROJECT_BINARY_DIR}/brownout-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor release may break: 0.1 is satisfied by 0.1.x only. From 1.0 on it only adds.
set(compatibility SameMajorVersion)
if(PROJECT_VERSION VERSION_LESS 1.0)
  set(compatibility SameMinorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/brownout-config-version.cmake
                                 COMPATIBILITY ${compatibility} ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/brownout-config.cmake ${PROJECT_BINARY_DIR}/brownout-config-version.cmake
        DESTINATION ${package_dir} COMPONENT brownout_core)
# The source of the module, which a project that finds brownout compiles.
install(FILES ${CMAKE_CURRENT_LIST_DIR}/module/brownout.cppm ${CMAKE_CURRENT_LIST_DIR}/module/brownout-module.cmake
        DESTINATION ${package_dir} COMPONENT brownout)
# As a subproject, brownout finds the user's CMAKE_INSTALL_DOCDIR, where the user's own licence goes.
set(license_dir ${CMAKE_INSTALL_DOCDIR})
if(NOT PROJECT_IS_TOP_LEVEL)
  set(license_dir ${CMAKE_INSTALL_DATAROOTDIR}/doc/brownout)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${license_dir} COMPONENT brownout_core)

# pkg-config finds the prefix from where the .pc file stands, and the headers from there, unless they are elsewhere.
function(install_pkgconfig component name)
  set(prefix_dir ${CMAKE_INSTALL_PREFIX})
  set(from_dir ${pkgconfig_dir})
  cmake_path(ABSOLUTE_PATH from_dir BASE_DIRECTORY ${prefix_dir})
  cmake_path(RELATIVE_PATH prefix_dir BASE_DIRECTORY ${from_dir} OUTPUT_VARIABLE up)
  set(pc_prefix "\${pcfiledir}/${up}")
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
  if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/packaging/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pkgconfig_dir} COMPONENT ${component})
endfunction()
install_pkgconfig(brownout_core brownout-core)
install_pkgconfig(brownout brownout)
install_pkgconfig(brownout brownout-asio)
