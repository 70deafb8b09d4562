#!/usr/bin/python3
# SPDX-License-Identifier: BSL-1.0
"""docs/site/pages.py XML PAGES   writes the pages of the site into PAGES, from the repository in the current directory

- The Markdown pages, at the same place as in the repository. README.md is the front page.
- reference/: a page for each public header, from Doxygen's XML; a page for each room.
- source/: files of the repository that a page links to, and the examples.

A link of a Markdown page to a file or directory leads to one of these pages.
Exit status: 0 all is written; 1 a public header has no page; 2 wrong usage.
"""
from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from xml.etree import ElementTree

HEADERS = "include/brownout"
EXAMPLES = ("examples", "examples/recipes")
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".yml": "yaml", ".yaml": "yaml", ".json": "json"}
SECTIONS = {"Concepts": ["concept"], "Classes": ["class", "struct"], "Enumerations": ["enum"], "Types": ["typedef"],
            "Functions": ["function"], "Constants": ["variable"], "Macros": ["define"]}


def read(path: str | Path) -> str:
    return Path(path).read_text(encoding="utf-8")


def write(directory: Path, name: str, text: str) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def title(text: str, line: str = "=") -> str:
    return f"{text}\n{line * len(text)}\n\n"


def escaped(text: str) -> str:
    return re.sub(r"([*`_|\\])", r"\\\1", text)


# What the reference is about.


@dataclass
class Entity:
    """What a header offers: a class, a concept, a function, a macro ..."""

    kind: str
    name: str
    identifier: str  # Doxygen's
    header: str
    line: int
    summary: str
    members: list[str]

    @staticmethod
    def of(kind: str, name: str, node: ElementTree.Element) -> Entity:
        location = node.find("location")
        summary = " ".join("".join(node.find("briefdescription").itertext()).split())
        own = name.rpartition("::")[2]
        members = [one for one in node.iterfind("sectiondef/memberdef[@prot='public']")
                   if one.get("kind") in ("function", "variable")]
        members.sort(key=lambda one: int(one.find("location").get("line")))
        members = dict.fromkeys(one.findtext("name") for one in members)
        members = [one for one in members if re.fullmatch(r"\w+", one) and one != own]
        return Entity(kind, name, node.get("id"), f"include/{location.get('file')}", int(location.get("line")), summary,
                      members)

    @property
    def short(self) -> str:
        return self.name.removeprefix("brownout::")

    def directive(self) -> str:
        if self.kind == "concept":
            return f".. doxygenconcept:: {self.name}\n\n.. code-block:: cpp\n\n{self.definition()}"
        if self.kind in ("class", "struct", "define"):
            return self.contents() + f".. doxygen{self.kind}:: {self.name}\n"
        return f".. brownout-member:: {self.identifier}\n"

    def contents(self) -> str:
        """The members of a class that has many."""
        if len(self.members) < 10:
            return ""
        links = " ".join(f"``{self.short}::{one}``" for one in self.members)
        return f".. rst-class:: members\n\nMembers of ``{self.short}``: {links}\n\n"

    def definition(self) -> str:
        """The text of a concept. Breathe prints its name alone."""
        lines = read(self.header).splitlines()
        begin = next(at for at, line in enumerate(lines) if line.startswith(f"concept {self.short} "))
        end = next(at for at in range(begin, len(lines))
                   if lines[at].endswith(";") and lines[at + 1] in ("", "// clang-format on"))
        while not lines[begin].startswith("template"):
            begin -= 1
        return "".join(f"   {line}\n" for line in lines[begin:end + 1])


def entities(xml: str) -> list[Entity]:
    found = []
    index = ElementTree.parse(f"{xml}/index.xml").getroot()
    classes = {entry.findtext("name") for entry in index if entry.get("kind") in ("class", "struct")}
    for entry in index:
        kind, name = entry.get("kind"), entry.findtext("name")
        if not (kind == "file" or name.startswith("brownout")):
            continue
        node = ElementTree.parse(f"{xml}/{entry.get('refid')}.xml").getroot()[0]
        if kind in ("class", "struct", "concept"):
            if name.rpartition("::")[0] not in classes:
                found.append(Entity.of(kind, name, node))
            continue
        for member in node.iter("memberdef"):
            one = Entity.of(member.get("kind"), member.findtext("name"), member)
            # The C++ domain of Sphinx has no deduction guides.
            is_guide = "->" in member.findtext("argsstring", "").rpartition(")")[2]
            if one.summary and not is_guide and (kind == "file") == (one.kind == "define"):
                found.append(one)
    return sorted(found, key=lambda one: one.line)


class Reference:
    def __init__(self, xml: str) -> None:
        # As include/CMakeLists.txt has it.
        self.headers = sorted(str(path) for path in Path(HEADERS).rglob("*.hpp") if "detail" not in path.parts)
        self.targets = self.targets_of_headers()
        row = r"^\| \[`(\w+)`\]\([^)]*\) \| ([^|]+?) \|"
        self.questions = dict(re.findall(row, read("docs/architecture.md"), re.MULTILINE))
        self.offers = {header: [] for header in self.headers}
        for one in entities(xml):
            self.offers[one.header].append(one)

    def targets_of_headers(self) -> dict[str, str]:
        targets = {}
        lists = re.findall(r"^add_headers\((\w+) ([^)]*)\)", read("include/CMakeLists.txt"), re.MULTILINE)
        adapters = re.findall(r"^add_adapter\((\w+) ", read("include/CMakeLists.txt"), re.MULTILINE)
        lists += [(f"brownout_{name}", f"{name}/*.hpp") for name in adapters]
        for target, patterns in lists:
            shown = "brownout::" + (target.removeprefix("brownout_") if target != "brownout" else target)
            for header in self.headers:
                if any(PurePosixPath(header).match(f"{HEADERS}/{pattern}") for pattern in patterns.split()):
                    targets[header] = shown
        return targets

    def room(self, header: str) -> str:
        return str(PurePosixPath(header).relative_to(HEADERS).parent)

    def is_umbrella(self, header: str) -> bool:
        return self.room(header) == "."

    def page(self, header: str) -> str:
        return "reference/" + str(PurePosixPath(header).relative_to(HEADERS).with_suffix(""))

    def title(self, header: str) -> str:
        """What a reader looks for: the type that the header is named after, or its only type."""
        stem = PurePosixPath(header).stem
        if self.is_umbrella(header):
            return f"brownout/{stem}.hpp"
        names = [one.short for one in self.offers[header] if one.kind in ("concept", "class", "struct", "enum")]
        aliases = [one.short for one in self.offers[header] if one.kind == "typedef"]
        wanted = [stem, f"{self.room(header)}_{stem}", *(name for name in names if name.endswith(f"_{stem}"))]
        return next((name for name in wanted if name in names + aliases), names[0] if len(names) == 1 else stem)

    def problems(self) -> list[str]:
        found = []
        for header in self.headers:
            if header not in self.targets:
                found.append(f"{header}: include/CMakeLists.txt gives it to no target")
            if self.is_umbrella(header):
                continue
            if self.room(header) not in self.questions:
                found.append(f"{header}: docs/architecture.md has no question of the room {self.room(header)}")
            if not self.offers[header]:
                found.append(f"{header}: a public header without a page: it documents nothing")
        return found

    def write(self, pages: Path) -> None:
        for header in self.headers:
            write(pages, f"{self.page(header)}.rst", self.text(header))
        text = title("Reference") + "One page for each public header. A room is a directory of headers.\n\n"
        text += ".. list-table::\n   :header-rows: 1\n\n   * - room\n     - its question\n     - target\n"
        for room, question in self.questions.items():
            headers = [one for one in self.headers if self.room(one) == room]
            text += f"   * - :doc:`{room} <{room}/index>`\n     - {question}\n     - ``{self.targets[headers[0]]}``\n"
            write(pages, f"reference/{room}/index.rst", title(f"{room}: {question}") + self.table(headers))
        umbrellas = [one for one in self.headers if self.is_umbrella(one)]
        text += "\nThese headers include the others:\n\n" + self.table(umbrellas)
        text += "\n.. toctree::\n   :hidden:\n\n" + "".join(f"   {room}/index\n" for room in self.questions)
        write(pages, "reference/index.rst", text)

    def table(self, headers: list[str]) -> str:
        text = ".. list-table::\n   :widths: 30 70\n\n"
        for name, header in sorted((self.title(header), header) for header in headers):
            offered = self.offers[header]
            main = next((one for one in offered if one.short == name), offered[0] if offered else None)
            others = dict.fromkeys(f"``{one.short}``" for one in offered if one.short != name)
            summary = escaped(main.summary) if main and not self.is_umbrella(header) else self.comment(header)
            summary += f" Also {', '.join(others)}." if others else ""
            text += f"   * - :doc:`{name} </{self.page(header)}>`\n     - {summary}\n"
        return text

    def comment(self, header: str) -> str:
        """What an umbrella says of itself: its first documentation, or else its first comment after the licence."""
        text = read(header)
        found = re.search(r"(?:^/// .*\n)+", text, re.MULTILINE) or re.search(r"(?:^// (?!SPDX).*\n)+", text, re.MULTILINE)
        return escaped(" ".join(re.findall(r"^//+ (.*)", found[0], re.MULTILINE))) if found else ""

    def text(self, header: str) -> str:
        room, offered = self.room(header), self.offers[header]
        source = relpath(f"{header}.txt", PurePosixPath(self.page(header)).parent)
        # No entry of the navigation: it would be long, and take half of the time of a build.
        text = ":orphan:\n\n.. highlight:: cpp\n\n" + title(self.title(header))
        text += f".. code-block:: cpp\n\n   #include <{header.removeprefix('include/')}>\n\n"
        where = f"Target ``{self.targets[header]}``, `source <{source}>`__"
        if self.is_umbrella(header):
            text += f"{where}. {self.comment(header)}\n\n"
            included = re.findall(r'^#include "(brownout/[^"]+)"', read(header), re.MULTILINE)
            for one in (f"include/{path}" for path in included):
                text += f"- :doc:`{self.title(one)} </{self.page(one)}>`\n"
        else:
            text += f"{where}, room :doc:`{room} </reference/{room}/index>`: *{self.questions[room]}*\n\n"
        for heading, kinds in SECTIONS.items():
            chosen = [one for one in offered if one.kind in kinds]
            named = self.title(header)  # what the page is named after comes first
            chosen.sort(key=lambda one: one.short not in (named, f"basic_{named}"))
            if chosen and len(chosen) < len(offered):
                text += title(heading, "-")
            text += "".join(f"{one.directive()}\n" for one in chosen)
        return text


# Pages of the repository.


class Repository:
    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.sources = set(EXAMPLES)  # files and directories that need a page

    def write(self, pages: Path) -> None:
        for page in [*Path(".").glob("*.md"), *Path("docs").rglob("*.md"), *Path("examples").rglob("*.md")]:
            text = self.with_links(str(page), read(page))
            if str(page) == "README.md":
                write(pages, "index.md", text + read("docs/site/index.md"))
            elif str(page) != "docs/site/index.md":
                write(pages, str(page), text)
        for directory in sorted(one for one in self.sources if Path(one).is_dir()):
            write(pages, f"source/{directory}/index.rst", self.directory(directory))
        for file in sorted(one for one in self.sources if Path(one).is_file()):
            write(pages, f"source/{file}.rst", self.source(file, pages))

    def with_links(self, page: str, text: str) -> str:
        here = PurePosixPath(page).parent

        def lead(link: re.Match) -> str:
            path, anchor = link.groups()
            target = normpath(here / path)
            if not Path(target).exists() or target.endswith((".svg", ".png")):
                return link.group()
            return f"]({relpath(self.page(target), here)}{anchor or ''})"

        return re.sub(r"\]\(([^)\s#:]+)(#[^)\s]*)?\)", lead, text)

    def page(self, target: str) -> str:
        if target == "README.md":
            return "index.md"
        if target.endswith(".md"):
            return target
        if target in self.reference.headers:
            return f"{self.reference.page(target)}.rst"
        if Path(target).is_dir() and target.startswith(HEADERS):
            return normpath(f"reference/{target.removeprefix(HEADERS)}/index.rst")
        self.sources.add(target)
        return f"source/{target}/index.rst" if Path(target).is_dir() else f"source/{target}.rst"

    def directory(self, path: str) -> str:
        if path in EXAMPLES:
            files = sorted(Path(path).glob("*.cpp"))
            text = title(path.capitalize()) + ".. toctree::\n\n" + "".join(f"   {one.name}\n" for one in files)
            text += "".join(f"   {relpath(one, path)}/index\n" for one in EXAMPLES if one.startswith(f"{path}/"))
        else:
            files = sorted(one for one in Path(path).rglob("*") if one.is_file())
            text = ":orphan:\n\n" + title(path)
            text += "".join(f"- :doc:`{one.relative_to(path)} </source/{one}>`\n" for one in files)
        self.sources.update(str(one) for one in files)
        return text

    def source(self, path: str, pages: Path) -> str:
        name = PurePosixPath(path)
        if str(name.parent) in EXAMPLES:
            number = re.match(r"\d+", name.name)
            first = re.search(r"^// (?!SPDX)(.+?)[.:]?$", read(path), re.MULTILINE)
            text = title((f"{number[0]}. " if number else "") + (first[1] if first else name.name)) + f"``{path}``\n\n"
        else:
            text = ":orphan:\n:nosearch:\n\n" + title(path)
        file = relpath(Path(path).resolve(), (pages / "source" / path).resolve().parent)
        language = LANGUAGES.get(name.suffix, "none")
        return f"{text}.. literalinclude:: {file}\n   :language: {language}\n   :linenos:\n"


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    pages = Path(sys.argv[2])
    reference = Reference(sys.argv[1])
    for problem in (problems := reference.problems()):
        print(f"brownout: {problem}", file=sys.stderr)
    if problems:
        return 1
    reference.write(pages)
    Repository(reference).write(pages)
    for images in ("docs/images", "docs/studies/plots"):
        shutil.copytree(images, pages / images)
    # As files: pictures that a page names in HTML, and headers.
    shutil.copytree("docs/images", pages.parent / "extra/docs/images")
    for header in reference.headers:
        write(pages.parent / "extra", f"{header}.txt", read(header))
    return 0


if __name__ == "__main__":
    sys.exit(main())
