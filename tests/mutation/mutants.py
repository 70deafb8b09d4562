# SPDX-License-Identifier: BSL-1.0
"""The mutants of a header: copies of it with one small change each.

It works on tokens and knows the form that clang-format gives to our code: a binary operator has a space on each side,
the brackets of template arguments have none. It leaves out what does not decide at run time: comments, texts,
directives, attributes, static_assert, requires, template parameters. It also leaves out memory orders: no test here can
notice a weaker one, because the explored schedules are sequentially consistent. The thread sanitizer's tests do that.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:\\\n|[^\n])*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|\[\[.*?\]\]|\s+)
      |(?P<number>\d(?:'?[\w.])*)
      |(?P<name>[A-Za-z_]\w*)
      |(?P<sign><=>|<<=|>>=|->|\+\+|--|<=|>=|==|!=|&&|\|\||<<|>>|[-+*/%&|^]=|::|.)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)

# Operators with a space on each side.
BINARY = {
    "<": ("relational", ("<=", ">=")),
    "<=": ("relational", ("<", ">")),
    ">": ("relational", (">=", "<=")),
    ">=": ("relational", (">", "<")),
    "==": ("relational", ("!=",)),
    "!=": ("relational", ("==",)),
    "+": ("arithmetic", ("-",)),
    "-": ("arithmetic", ("+",)),
    "*": ("arithmetic", ("/",)),
    "/": ("arithmetic", ("*",)),
    "%": ("arithmetic", ("/",)),
    "+=": ("arithmetic", ("-=",)),
    "-=": ("arithmetic", ("+=",)),
    "&&": ("logical", ("||",)),
    "||": ("logical", ("&&",)),
    "&": ("bits", ("|",)),
    "|": ("bits", ("&",)),
    "^": ("bits", ("|",)),
    "|=": ("bits", ("&=",)),
    "&=": ("bits", ("|=",)),
    "<<": ("bits", (">>",)),
    ">>": ("bits", ("<<",)),
}
UNARY = {"++": ("arithmetic", "--"), "--": ("arithmetic", "++"), "!": ("negation", ""), "~": ("bits", "")}
NAMES = {
    "min": ("bound", "max"),
    "max": ("bound", "min"),
    "ceil": ("bound", "floor"),
    "floor": ("bound", "ceil"),
    "true": ("boolean", "false"),
    "false": ("boolean", "true"),
}
# Their brackets hold nothing that decides at run time. A precondition is the caller's matter.
SKIPPED_CALLS = {"static_assert", "alignas", "noexcept", "decltype", "sizeof", "BROWNOUT_PRECONDITION"}
# A statement that begins with one of them is no call and no assignment.
NO_CALL = set(
    "alignas auto break case class const constexpr constinit default do else enum explicit extern for friend goto if "
    "inline mutable namespace operator private protected public return static static_assert struct switch template "
    "throw try typedef typename union using virtual while".split()
)
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "<<=", ">>="}
OPENING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Token:
    text: str
    begin: int
    kind: str

    @property
    def end(self) -> int:
        return self.begin + len(self.text)


@dataclass(frozen=True)
class Mutant:
    header: str  # below include/brownout
    line: int
    column: int
    operator: str
    old: str
    new: str
    begin: int
    end: int
    code: str  # the line
    number: int = 1  # among those of the same operator, old, new and code

    @property
    def change(self) -> str:
        return f"{self.operator} '{self.old}' -> '{self.new}'"

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return f"{self.header}:{self.line}:{self.column} {self.change}"

    @property
    def lasting_name(self) -> str:
        """As the name, but by the text of its line: it stays when other lines come and go."""
        which = f" #{self.number}" if self.number > 1 else ""
        return f"{self.header}: {self.change}{which} in: {self.code}"

    def applied_to(self, text: str) -> str:
        return text[: self.begin] + self.new + text[self.end :]


class Header:
    """The tokens of a header, and what of them belongs together."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [
            Token(match[0], match.start(), match.lastgroup or "")
            for match in TOKEN.finditer(text)
            if match.lastgroup != "skip"
        ]
        self.partner = self._partners()
        self.skipped = self._skipped()

    def _partners(self) -> dict[int, int]:
        """Of each bracket the index of the other one."""
        partner: dict[int, int] = {}
        open_ones: list[int] = []
        for at, token in enumerate(self.tokens):
            if token.text in OPENING:
                open_ones.append(at)
            elif open_ones and token.text == OPENING[self.tokens[open_ones[-1]].text]:
                other = open_ones.pop()
                partner[at], partner[other] = other, at
        return partner

    def _skipped(self) -> set[int]:
        skipped: set[int] = set()
        for at, token in enumerate(self.tokens):
            if token.text in SKIPPED_CALLS and self.is_at(at + 1, "("):
                skipped |= set(range(at, self.partner[at + 1] + 1))
            elif token.text == "template" and self.is_at(at + 1, "<"):
                skipped |= set(range(at, self.end_of_arguments(at + 1) + 1))
            elif token.text == "concept":
                skipped |= set(range(at, self.find_end(at) + 1))
            elif token.text == "requires":
                # A requires expression; or a clause, which ends before what it is for.
                end = at + 1
                if self.is_at(end, "("):
                    end = self.partner[end] + 1
                if self.is_at(end, "{"):
                    end = self.partner[end] + 1
                skipped |= set(range(at, end))
            elif token.text == "operator":
                skipped |= {at, at + 1}
            elif token.text.startswith("memory_order"):
                skipped.add(at)
        return skipped

    def is_at(self, at: int, text: str) -> bool:
        return 0 <= at < len(self.tokens) and self.tokens[at].text == text

    def end_of_arguments(self, at: int) -> int:
        """The > that belongs to the < at `at`."""
        depth = 0
        while at < len(self.tokens):
            if at in self.partner and self.tokens[at].text in OPENING:
                at = self.partner[at]
            text = self.tokens[at].text
            depth += (text == "<") - (text == ">") - 2 * (text == ">>")
            if depth <= 0:
                return at
            at += 1
        return at

    def find_end(self, at: int) -> int:
        """The ; that ends the statement of `at`."""
        while at < len(self.tokens) and self.tokens[at].text != ";":
            at = self.partner[at] + 1 if self.tokens[at].text in OPENING else at + 1
        return at

    def is_spaced(self, at: int) -> bool:
        token = self.tokens[at]
        return self.text[token.begin - 1].isspace() and self.text[token.end].isspace()

    def enclosing_bodies(self) -> Iterator[tuple[int, int, bool]]:
        """Each body of a function, and whether the function returns a bool."""
        for at, token in enumerate(self.tokens):
            if token.text != "{" or at not in self.partner:
                continue
            begin = self.head_before(at)
            head = [each.text for i, each in enumerate(self.tokens[begin:at], begin) if i not in self.skipped]
            if not head or {"namespace", "struct", "class", "enum", "union"} & set(head):
                continue
            if "(" in head or head in (["else"], ["do"], ["try"]):
                first = head.index("(") if "(" in head else 0
                yield at, self.partner[at], "bool" in head[:first] and "=" not in head[:first]

    def head_before(self, at: int) -> int:
        """Where what stands before the { at `at` begins: with initialisers of members, and with a loop's brackets."""
        while at > 0:
            before = self.tokens[at - 1].text
            if before == ")":
                at = self.partner[at - 1]
            elif before == "}" and self.tokens[self.partner[at - 1] - 2].text in (":", ","):
                at = self.partner[at - 1]
            elif before in (";", "}", "{"):
                break
            else:
                at -= 1
        return at

    def condition(self, at: int) -> tuple[int, int] | None:
        """Of the `if` or `while` at `at`, without what it declares before."""
        if not self.is_at(at + 1, "("):
            return None  # if constexpr
        begin, end = at + 2, self.partner[at + 1]
        for i in range(begin, end):
            if self.tokens[i].text == ";":
                begin = i + 1
        if self.tokens[begin].text in ("const", "auto", "constexpr"):
            return None  # it declares a name, which is used
        return begin, end

    def tested_before(self, at: int) -> int:
        """Where the condition of the ? at `at` begins."""
        begin = at
        while begin > 0:
            before = self.tokens[begin - 1].text
            if before in OPENING or before in ASSIGNMENTS | {",", ";", "?", ":", "return", "<<"}:
                break
            begin = self.partner[begin - 1] if before in OPENING.values() else begin - 1
        return begin


class Maker:
    """Makes the mutants of one header."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.header = Header(text)
        self.lines = text.split("\n")
        self.made: list[Mutant] = []
        self.same: dict[tuple[str, str, str, str], int] = {}

    def add(self, operator: str, begin: int, end: int, new: str) -> None:
        """`begin` and `end`: positions in the text."""
        text = self.header.text
        old = text[begin:end]
        if re.sub(r"\s+", " ", old).strip(" ()") == new.strip(" ()"):
            return
        line = text.count("\n", 0, begin) + 1
        column = begin - text.rfind("\n", 0, begin)
        code = self.lines[line - 1].split("//")[0].strip()
        shown = re.sub(r"\s+", " ", old)
        key = (operator, shown, new, code)
        self.same[key] = self.same.get(key, 0) + 1
        self.made.append(Mutant(self.name, line, column, operator, shown, new, begin, end, code, self.same[key]))

    def add_at(self, operator: str, at: int, new: str) -> None:
        token = self.header.tokens[at]
        self.add(operator, token.begin, token.end, new)

    def all(self) -> list[Mutant]:
        for at, token in enumerate(self.header.tokens):
            if at in self.header.skipped:
                continue
            if token.kind == "number":
                self.change_number(at)
            elif token.kind == "name":
                self.change_name(at)
            else:
                self.change_sign(at)
        self.change_statements()
        self.change_returns()
        return sorted(self.made, key=lambda each: (each.begin, each.end, each.new))

    def change_number(self, at: int) -> None:
        token = self.header.tokens[at]
        match = re.fullmatch(r"(0x[\da-fA-F']+|[\d']+)([uUlL]*)", token.text)
        beside = [i for i, sign in ((at - 1, "<"), (at + 1, ">")) if self.header.is_at(i, sign)]
        if not match or any(not self.header.is_spaced(i) for i in beside):
            return  # no number that is written so, or an argument of a template
        written, suffix = match[1].replace("'", ""), match[2]
        value = int(written, 0)
        for other in (value - 1, value + 1) if value > 0 else (1,):
            self.add_at("number", at, f"{hex(other) if written.startswith('0x') else other}{suffix}")

    def change_name(self, at: int) -> None:
        header, text = self.header, self.header.tokens[at].text
        if text in NAMES and (text in ("true", "false") or header.is_at(at - 1, "::")):
            operator, new = NAMES[text]
            self.add_at(operator, at, new)
        if text in ("if", "while") and (condition := header.condition(at)):
            begin, end = header.tokens[condition[0]].begin, header.tokens[condition[1] - 1].end
            for new in ("true", "false") if text == "if" else ("false",):
                self.add("condition", begin, end, new)

    def change_sign(self, at: int) -> None:
        header, text = self.header, self.header.tokens[at].text
        if text in BINARY and header.is_spaced(at):
            operator, others = BINARY[text]
            for new in others:
                self.add_at(operator, at, new)
        elif text in UNARY:
            operator, new = UNARY[text]
            self.add_at(operator, at, new)
        elif text == "?":
            begin = header.tested_before(at)
            for new in ("true", "false"):
                self.add("condition", header.tokens[begin].begin, header.tokens[at - 1].end, new)

    def change_statements(self) -> None:
        """Leaves a call, an assignment, `continue` or `break` out."""
        header = self.header
        bodies = [(begin, end) for begin, end, _ in header.enclosing_bodies()]
        for at, token in enumerate(header.tokens):
            if at in header.skipped or not self.begins_statement(at):
                continue
            if token.text not in ("continue", "break") and not self.is_call(at):
                continue
            end = header.find_end(at)
            around = [brackets for brackets in header.partner.items() if brackets[0] < at < brackets[1]]
            if around and max(around) in bodies and end < max(around)[1]:
                self.add("statement", token.begin, header.tokens[end].end, ";")

    def begins_statement(self, at: int) -> bool:
        header, before = self.header, self.header.tokens[at - 1].text
        if before in (";", "{", "}", "else"):
            return True
        if before != ")":
            return False
        head = header.partner[at - 1] - 1
        return header.tokens[head].text in ("if", "while", "for") or header.is_at(head - 1, "if")

    def is_call(self, at: int) -> bool:
        """Whether the statement at `at` calls or assigns, and declares nothing."""
        header = self.header
        first, end = header.tokens[at], header.find_end(at)
        if first.text in NO_CALL or not (first.kind == "name" or first.text in ("*", "++", "--", "(")):
            return False
        if first.text in ("++", "--"):
            return True
        does = False
        i = at
        while i < end:
            token = header.tokens[i]
            if token.text == "{":
                return False  # a body, or a name with an initialiser
            if i > at and token.kind == "name" and header.tokens[i - 1].kind == "name":
                return False  # type and name
            if i > at and token.kind == "name" and header.tokens[i - 1].text in ("&", "*", ">") and not does:
                return False  # type& name
            does = does or token.text == "(" or token.text in ASSIGNMENTS
            i = header.partner[i] + 1 if token.text in OPENING else i + 1
        return does and not header.tokens[end - 1].text in ("delete", "default")

    def change_returns(self) -> None:
        """Returns the other boolean."""
        header = self.header
        bodies = list(header.enclosing_bodies())
        for at, token in enumerate(header.tokens):
            around = [(end - begin, is_bool) for begin, end, is_bool in bodies if begin < at < end]
            if token.text != "return" or not self.returns_bool(at, bodies):
                continue
            end = header.find_end(at)
            if end - at > 2 and around:
                begin, last = header.tokens[at + 1].begin, header.tokens[end - 1].end
                for new in ("true", "false"):
                    self.add("return", begin, last, new)

    def returns_bool(self, at: int, bodies: list[tuple[int, int, bool]]) -> bool:
        header = self.header
        for begin, end, is_bool in sorted(bodies, key=lambda each: each[1] - each[0]):
            if not begin < at < end:
                continue
            if is_bool:
                return True
            # Of a loop or a condition the function around decides; a lambda returns what it likes.
            if header.tokens[header.head_before(begin)].text not in ("if", "for", "while", "else", "do", "try", "catch"):
                return False
        return False


def mutants_of(name: str, text: str) -> list[Mutant]:
    return Maker(name, text).all()
