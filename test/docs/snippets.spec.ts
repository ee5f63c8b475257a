import { dirname, join, relative } from 'node:path';
import { jest } from '@jest/globals';
import * as stillwater from 'stillwater';
import * as testing from 'stillwater/testing';
import ts from 'typescript';
import * as zod from 'zod';
import { modulesOf, type PageModule, pages, root, shownFiles } from './pages.js';

jest.setTimeout(120_000);

const modules = pages().flatMap(modulesOf);

describe('the code in the documentation', () => {
  it('compiles', () => {
    expect(diagnosticsOf(modules)).toEqual([]);
  });

  for (const page of pages())
    for (const { file, shown, text } of shownFiles(page))
      it(`of ${page.name} is ${file} as it is in the repository`, () => {
        expect(shown.trim()).toBe(text.trim());
      });

  // What `given(…).rows([…])` says in a page is what a view shows.
  it.each(modules.filter(({ text }) => text.includes('given(')))(
    'of $page gives the rows it says',
    (module) => {
      run(module, new Map());
    },
  );
});

/** What the compiler says, by the lines of the pages. */
function diagnosticsOf(wanted: readonly PageModule[]): string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.test.json'), ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: ['src/index.ts'] },
    ts.sys,
    root,
  );
  const host = ts.createCompilerHost(options);
  const texts = new Map(wanted.map(({ file, text }) => [file, text]));
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.readFile = (file) => texts.get(file) ?? readFile(file);
  host.directoryExists = (directory) =>
    [...texts.keys()].some((file) => file.startsWith(`${directory}/`)) ||
    (directoryExists?.(directory) ?? true);
  host.getSourceFile = (file, language, ...rest) => {
    const text = texts.get(file);
    if (text === undefined) return getSourceFile(file, language, ...rest);
    // Modules, as they are in a package of `"type": "module"`.
    return ts.createSourceFile(file, text, {
      ...(typeof language === 'object' ? language : { languageVersion: language }),
      impliedNodeFormat: ts.ModuleKind.ESNext,
    });
  };
  const program = ts.createProgram([...texts.keys()], { ...options, noUnusedLocals: false }, host);
  return [...texts.keys()].flatMap((file) => {
    const source = program.getSourceFile(file)!;
    const page = wanted.find((module) => module.file === file)!.page;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (found) => {
        const line = source.getLineAndCharacterOfPosition(found.start ?? 0).line + 1;
        return `${page}:${line}  ${ts.flattenDiagnosticMessageText(found.messageText, '\n')}`;
      },
    );
  });
}

const PACKAGES: Readonly<Record<string, object>> = { stillwater, 'stillwater/testing': testing, zod };

/** Runs a module of a page, and what it imports of the same page. */
function run(module: PageModule, loaded: Map<string, object>): object {
  const known = loaded.get(module.file);
  if (known) return known;
  const exports = {};
  loaded.set(module.file, exports);
  const { outputText } = ts.transpileModule(module.text, {
    fileName: module.file,
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
  });
  const require = (name: string): object => {
    if (PACKAGES[name]) return PACKAGES[name];
    const file = join(dirname(module.file), name).replace(/\.js$/, '.ts');
    const other = modules.find((candidate) => candidate.file === file);
    if (!other)
      throw new Error(`${module.page} imports ${name}, which is not ${relative(root, file)} of this page.`);
    return run(other, loaded);
  };
  new Function('require', 'exports', outputText)(require, exports);
  return exports;
}
