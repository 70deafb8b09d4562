# SPDX-License-Identifier: BSL-1.0
# An overlay port of the checkout that it is in: vcpkg install brownout --overlay-ports=brownout/cmake/packaging/vcpkg
# In a registry, vcpkg_from_github takes the place of the next line.
cmake_path(SET SOURCE_PATH NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../..")

set(VCPKG_BUILD_TYPE release) # header-only: a debug build would be the same
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DBROWNOUT_BUILD_TESTS=OFF
        -DBROWNOUT_BUILD_EXAMPLES=OFF
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/brownout)
vcpkg_fixup_pkgconfig()

file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
