# SPDX-License-Identifier: BSL-1.0
"""Calls the methods of cmake/packaging/conan/conanfile.py as Conan 2 does: python3 methods.py CHECKOUT DIRECTORY

Conan is no package of a distribution, so the classes here stand for its own. They keep what the recipe says.
"""
import collections
import fnmatch
import importlib.util
import os
import shutil
import sys
import types


class Info:
    def __init__(self):
        self.cleared = False

    def clear(self):
        self.cleared = True


class CppInfo:
    def __init__(self):
        self.properties = {}
        self.components = collections.defaultdict(CppInfo)
        self.requires = []
        self.system_libs = []

    def set_property(self, name, value):
        self.properties[name] = value


class ConanFile:
    def __init__(self, **folders):
        self.options = types.SimpleNamespace(**self.default_options)
        self.settings = types.SimpleNamespace(os="Linux")
        self.info = Info()
        self.cpp_info = CppInfo()
        self.required = []
        self.minimum = None
        for name, folder in folders.items():
            setattr(self, name, folder)

    def requires(self, reference, options=None):
        self.required.append(reference)


def copy(conanfile, pattern, source, destination):
    for directory, _, names in os.walk(source):
        for name in names:
            path = os.path.relpath(os.path.join(directory, name), source)
            if fnmatch.fnmatch(path, pattern):
                target = os.path.join(destination, path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(os.path.join(source, path), target)


def load(conanfile, path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_min_cppstd(conanfile, minimum):
    conanfile.minimum = minimum


def stand_in(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


stand_in("conan", ConanFile=ConanFile)
stand_in("conan.tools")
stand_in("conan.tools.build", check_min_cppstd=check_min_cppstd)
stand_in("conan.tools.files", copy=copy, load=load)
stand_in("conan.tools.layout", basic_layout=lambda conanfile: None)


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r}, expected {expected!r}")


def files_of(directory):
    return {os.path.relpath(os.path.join(at, name), directory) for at, _, names in os.walk(directory) for name in names}


def main(checkout, work):
    sys.dont_write_bytecode = True
    recipe_folder = os.path.join(checkout, "cmake", "packaging", "conan")
    specification = importlib.util.spec_from_file_location("conanfile", os.path.join(recipe_folder, "conanfile.py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    shutil.rmtree(work, ignore_errors=True)
    headers = {path for path in files_of(os.path.join(checkout, "include")) if path.endswith(".hpp")}
    lines = load(None, os.path.join(checkout, "include", "brownout", "version.hpp")).splitlines()
    version = ".".join(line.split()[2] for line in lines if line.startswith("#define BROWNOUT_VERSION_"))

    for asio in False, True:
        sources = os.path.join(work, "sources")
        recipe = module.Brownout(recipe_folder=recipe_folder, export_sources_folder=sources, source_folder=sources,
                                 package_folder=os.path.join(work, "package"))
        recipe.options.asio = asio
        recipe.set_version()
        recipe.export_sources()
        recipe.layout()
        recipe.requirements()
        recipe.validate()
        recipe.package_id()
        recipe.package()
        recipe.package_info()
        expect("version", recipe.version, version)
        needed = [reference.partition("/")[0] for reference in recipe.required]
        expect("requirements", needed, ["boost"] if asio else [])
        expect("C++", recipe.minimum, 20)
        expect("one package for all settings", recipe.info.cleared, True)
        packed = files_of(os.path.join(work, "package", "include"))
        expect("headers that are missing or too many", packed ^ headers, set())
        expect("licences", files_of(os.path.join(work, "package", "licenses")), {"LICENSE"})
        components = recipe.cpp_info.components
        targets = [component.properties["cmake_target_name"] for component in components.values()]
        expect("targets", targets, ["brownout::core", "brownout::brownout"] + (["brownout::asio"] if asio else []))
        expect("threads", components["core"].system_libs, ["pthread"])
        expect("needs", components["brownout"].requires, ["core"])
        if asio:
            expect("needs", components["asio"].requires, ["brownout", "boost::headers"])
    print(f"the methods of the recipe make a package of {len(headers)} headers, {version}, with and without asio; "
          "Conan itself was not run")


main(*sys.argv[1:])
