import { readFileSync, writeFileSync, statSync, readdirSync, existsSync, mkdirSync, copyFileSync } from 'node:fs';
import swc from '@swc/core';
import { dirname } from 'node:path';
let n = 0;
for (const root of ['src', 'bench']) for (const f of readdirSync(root, { recursive: true })) {
  const from = `${root}/${f}`; let to = `dist/${from}`;
  if (f.endsWith('.lua')) { copyFileSync(from, to); continue; }
  if (!f.endsWith('.ts') || f.endsWith('.d.ts')) continue;
  to = to.replace(/\.ts$/, '.js');
  if (existsSync(to) && statSync(to).mtimeMs > statSync(from).mtimeMs) continue;
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, swc.transformSync(readFileSync(from, 'utf8'), { filename: from, jsc: { parser: { syntax: 'typescript', decorators: true }, target: 'es2022', transform: { legacyDecorator: true, decoratorMetadata: true }, keepClassNames: true }, module: { type: 'es6' } }).code); n++;
}
console.log('transpiled', n);
