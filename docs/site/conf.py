# SPDX-License-Identifier: BSL-1.0
"""Configuration of Sphinx for the site. docs/site/build runs it on the pages that pages.py writes."""
import re
from pathlib import Path

from breathe.directives.item import _DoxygenBaseItemDirective
from breathe.renderer.filter import Filter
from breathe.renderer.sphinxrenderer import SphinxRenderer
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

root = Path(__file__).resolve().parents[2]
version_lines = (root / "include/brownout/version.hpp").read_text(encoding="utf-8")

project = "brownout"
release = version = ".".join(re.findall(r"^#define BROWNOUT_VERSION_\w+ (\d+)", version_lines, re.MULTILINE))
extensions = ["breathe", "myst_parser", "sphinx_copybutton"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # the output of a program in a comment is no C++

primary_domain = "cpp"
highlight_language = "none"
add_function_parentheses = False
cpp_maximum_signature_line_length = 80
# Names in signatures that have no description: of other libraries, internal ones, namespaces, and private names of classes.
nitpick_ignore_regex = [("cpp:identifier", name) for name in (
    r"(std|boost|net|prometheus|detail)(::.*)?", r"brownout(::presets)?", r"(duration|time_point)::max",
    r"stored|detector_type|rules(::kinds)?|keeps_answers|counting_permit")]

breathe_projects = {"brownout": str(root / "build/site/xml")}
breathe_default_project = "brownout"
breathe_default_members = ("members",)
breathe_show_include = False
# Of a class, what its users look for comes first: options, then functions.
titles = {"public-attrib": "Data members", "public-func": "Functions", "public-static-func": "Static functions",
          "friend": "Friends", "user-defined": "", "public-type": "Types", "public-static-attrib": "Constants"}
SphinxRenderer.sections = list(titles.items())
SphinxRenderer.section_titles = titles

html_theme = "furo"
html_title = f"brownout {release}"
html_static_path = [str(root / "docs/site/brownout.css")]
html_css_files = ["brownout.css"]
html_extra_path = [str(root / "build/site/extra")]
html_copy_source = html_show_sourcelink = False
pygments_style = "friendly"
pygments_dark_style = "native"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#b45309",
        "color-brand-content": "#92400e",
        "font-stack": "Inter, system-ui, sans-serif",
        "font-stack--monospace": "JetBrains Mono, monospace",
    },
    # Debian's Furo lacks the rule for prefers-color-scheme, so all its dark variables stand here.
    "dark_css_variables": {
        "color-brand-primary": "#f59e0b",
        "color-brand-content": "#fbbf24",
        "color-foreground-primary": "#ffffffcc",
        "color-foreground-secondary": "#9ca0a5",
        "color-foreground-muted": "#81868d",
        "color-foreground-border": "#666666",
        "color-background-primary": "#131416",
        "color-background-secondary": "#1a1c1e",
        "color-background-hover": "#1e2124ff",
        "color-background-border": "#303335",
        "color-background-item": "#444",
        "color-api-keyword": "#9ca0a5",
        "color-card-background": "#18181a",
        "color-admonition-background": "#18181a",
    },
}


class HasIdentifier(Filter):
    def __init__(self, identifier):
        self.identifier = identifier

    def allow(self, node_stack):
        node = node_stack[0]
        return (getattr(node, "node_type", "") == "member" and node.refid == self.identifier
                and node_stack[1].kind in ("namespace", "file"))


class Member(_DoxygenBaseItemDirective):
    """A member of a namespace by Doxygen's identifier, which tells overloads apart."""

    kind = "member"

    def create_finder_filter(self, namespace, name):
        return HasIdentifier(self.arguments[0])


class LinkNames(SphinxPostTransform):
    """Makes links of public names in code spans, and in the reference of pages that comments name (docs/adr/0006)."""

    default_priority = 200
    named_page = re.compile(r"(\bdocs/[\w/-]+?(?:/\d{4}|\.md)\b)")

    def run(self, **kwargs):
        page = self.env.docname
        if page.startswith("source/"):
            return
        names = public_names(self.env)
        for span in list(self.document.findall(nodes.literal)):
            is_plain = all(isinstance(child, nodes.Text) for child in span.children)
            if is_plain and not isinstance(span.parent, (nodes.reference, nodes.title, addnodes.pending_xref)):
                name = re.sub(r"^brownout::|\(\)$", "", span.astext())
                found, is_list = names.get(name), "members" in span.parent.get("classes", ())
                shown = nodes.literal(text=name.rpartition("::")[2]) if is_list else span.deepcopy()
                if found and (found[0] != page or is_list):
                    span.replace_self(make_refnode(self.app.builder, page, *found, shown))
        if page.startswith("reference/"):
            for text in list(self.document.findall(nodes.Text)):
                if self.named_page.search(text) and isinstance(text.parent, nodes.paragraph):
                    text.parent.replace(text, [self.linked(page, part) for part in self.named_page.split(text)])

    def linked(self, page, part):
        if self.named_page.fullmatch(part):
            for target in self.env.found_docs:
                if target.startswith(part.removesuffix(".md")):
                    return make_refnode(self.app.builder, page, target, "", nodes.Text(part))
        return nodes.Text(part)


def public_names(env):
    """Where a name has its description: by its last words, if only one page has such a name."""
    if not hasattr(env, "public_names"):
        places = {}
        for name, _, kind, page, anchor, _ in env.get_domain("cpp").get_objects():
            words = name.split("::")[1:]
            if name.startswith("brownout::") and kind not in ("functionParam", "templateParam", "enumerator"):
                for spelling in {"::".join(words), "::".join(words[-2:])}:
                    places.setdefault(spelling, {})[page] = anchor
        env.public_names = {name: found for name, pages in places.items() for found in pages.items() if len(pages) == 1}
    return env.public_names


def setup(app):
    app.add_directive("brownout-member", Member)
    app.add_post_transform(LinkNames)
