#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""self_test.py   shows that tests/mutation/run can fail, and which mutants it makes

Exit status: 0 all checks passed; 1 one failed; 77 there is no compiler.
"""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing else comes into the tree
from mutants import mutants_of

RUN = pathlib.Path(__file__).resolve().parent / "run"
failed = 0

LEFT_OUT = """
#include "a/b.hpp"  // 1 < 2
/* 1 < 2 */
#define ONE (1 + \\
             1)
static_assert(sizeof(int) == 4 && true, "1 < 2");
template <int Number = 1>
concept number = requires(int a) { a == 1; };
[[nodiscard]] inline std::array<int, 2> names(int&& a, std::memory_order b) noexcept(true) { const auto text = "true + 1"; }
bool operator==(const number&) const = default;
"""

# A statement, and what becomes of it.
CHANGED = {
    "return a < 1;": {"a <= 1", "a >= 1", "a < 0", "a < 2", "true", "false"},
    "if (a == b) go();": {"a != b", "true", "false", ";"},
    "while (!done()) a = 2;": {"done()", "false", "a = 1", "a = 3", ";"},
    "const auto b = a ? c >> 8 : d;": {"true", "false", "c << 8", "c >> 7", "c >> 9"},
    "auto& b = a.b(a && b);": {"a || b"},
    "control_word next{a - 1};": {"a + 1", "a - 0", "a - 2"},
    "(std::min)(a, *b);": {"(std::max)", ";"},
    "for (auto a = b; c; ++a) { if (d) continue; }": {"--a", "true", "false", ") ;"},
}


def check(sentence: str, holds: object, why: object = "") -> None:
    global failed
    print(f"{'ok     ' if holds else 'FAILED '} {sentence}", *([] if holds else [f"({why})"]))
    failed += not holds


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run([RUN, *arguments], env={**os.environ, **environment}, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def check_mutants() -> None:
    made = mutants_of("a.hpp", LEFT_OUT)
    check("comments, texts, directives and what is decided at compile time stay as they are", not made, [each.name for each in made])
    for statement, expected in CHANGED.items():
        text = f"bool f() {{\n  {statement}\n}}\n"
        changed = [each.applied_to(text).split("\n")[1].strip() for each in mutants_of("a.hpp", text)]
        check(f"{statement} has {len(expected)} mutants, all different", len(changed) == len(set(changed)) == len(expected), changed)
        missing = [new for new in expected if not any(new in each for each in changed)]
        check(f"{statement} becomes what it should", not missing, missing)
    first, second = mutants_of("a.hpp", "void f() {\n  go();\n  go();\n}\n")
    check("two mutants of equal lines have different names", first.lasting_name != second.lasting_name, first.lasting_name)
    moved = mutants_of("a.hpp", "\n\nvoid f() {\n  go();\n  go();\n}\n")[0]
    check("a lasting name stays when the line moves", first.lasting_name == moved.lasting_name and first.name != moved.name)


def check_run(scratch: pathlib.Path) -> None:
    blind = ("--group", "blind", "--sample", "1")
    equivalent = scratch / "equivalent.txt"

    status, said = run(*blind)
    if status == 77:
        print(said)
        raise SystemExit(77)
    survivors = [line.strip() for line in said.split("\n") if line.startswith("          ")]
    check("a mutant that no test notices survives, and fails the run", status == 1 and len(survivors) == 1, said)

    equivalent.write_text(f"{survivors[0] if survivors else ''}\n  This test looks at nothing.\n")
    status, said = run(*blind, "--equivalent", str(equivalent))
    check("it does not if it is known as equivalent", status == 0 and "equivalent" in said, said)

    equivalent.write_text(f"{survivors[0] if survivors else ''}\n")
    status, said = run(*blind, "--equivalent", str(equivalent))
    check("an equivalent mutant needs a reason", status == 1 and "no reason" in said, said)

    equivalent.write_text("breaker/gone.hpp: relational '<' -> '<=' in: a < b\n  It was there.\n")
    status, said = run(*blind, "--equivalent", str(equivalent))
    check("an equivalent mutant that is no more fails the run", status == 1 and "is no more" in said, said)

    for wrong in (("--sample", "0"), ("--sample", "some"), ("--group", "none"), ("--only", "none"), ("--none",)):
        status, said = run(*wrong)
        check(f"{' '.join(wrong)} is wrong usage", status == 2, said)
    status, said = run(*blind, CXX="no-such-compiler")
    check("without a compiler the run is skipped", status == 77 and "SKIPPED" in said, said)


with tempfile.TemporaryDirectory() as directory:
    check_mutants()
    check_run(pathlib.Path(directory))
sys.exit(failed > 0)
