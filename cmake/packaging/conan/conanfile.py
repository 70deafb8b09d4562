# SPDX-License-Identifier: BSL-1.0
# A package of the checkout that this recipe is in: conan create brownout/cmake/packaging/conan
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class Brownout(ConanFile):
    name = "brownout"
    description = "Keeps services useful while their dependencies fail: breakers, health, degradation levels, features"
    license = "BSL-1.0"
    topics = ("circuit-breaker", "resilience", "degradation", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"asio": [True, False]}
    default_options = {"asio": False}
    no_copy_source = True

    @property
    def _checkout(self):
        return os.path.join(self.recipe_folder, "..", "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._checkout, "include", "brownout", "version.hpp"))
        self.version = ".".join(re.findall(r"#define BROWNOUT_VERSION_[A-Z]+ (\d+)", header))

    def export_sources(self):
        for pattern in "LICENSE", "include/*.hpp":
            copy(self, pattern, self._checkout, self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        if self.options.asio:
            self.requires("boost/[>=1.81 <2]", options={"header_only": True})

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        # Conan adds a target of all components. The name that it would choose is that of one of them.
        self.cpp_info.set_property("cmake_target_name", "brownout::all")
        self._component("core", [])
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.components["core"].system_libs = ["pthread"]
        self._component("brownout", ["core"])
        if self.options.asio:
            self._component("asio", ["brownout", "boost::headers"])

    def _component(self, name, requires):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", f"brownout::{name}")
        component.set_property("pkg_config_name", "brownout" if name == "brownout" else f"brownout-{name}")
        component.requires = requires
        component.bindirs = []
        component.libdirs = []
