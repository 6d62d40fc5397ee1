import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const FOLDERS = [
  'app',
  'components',
  'lib',
  'server',
  'scripts',
  'bin',
  'workflows',
  'bench',
  'tests',
  'e2e',
];
const MOST_LINES = 500;

interface SourceFile {
  path: string;
  text: string;
  isTest: boolean;
}

function read(folder: string): SourceFile[] {
  let entries: string[];
  try {
    entries = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return entries
    .map((entry) => relative(root, join(root, folder, entry)))
    .filter((path) => /\.(ts|tsx|mjs|cjs|css)$/.test(path))
    .filter((path) => !/(^|\/)(node_modules|generated|\.peers)\//.test(path))
    .map((path) => ({
      path,
      text: readFileSync(join(root, path), 'utf8'),
      isTest: /\.test\.tsx?$/.test(path) || /^(tests|e2e)\//.test(path),
    }));
}

const files = FOLDERS.flatMap(read);
const source = files.filter((file) => !file.isTest);

/** Text without comments: a rule about code must not trip over prose. */
function code(file: SourceFile): string {
  return file.text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}

const pathsOf = (found: readonly SourceFile[]) => found.map((file) => file.path);

describe('source files', () => {
  it('were found at all', () => {
    expect(source.length).toBeGreaterThan(100);
    for (const folder of ['app', 'components', 'lib', 'server', 'scripts']) {
      expect(
        source.some((file) => file.path.startsWith(`${folder}/`)),
        folder,
      ).toBe(true);
    }
  });

  it(`have at most ${MOST_LINES} lines each`, () => {
    const long = source.map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }));
    expect(long.filter((file) => file.lines > MOST_LINES)).toEqual([]);
  });

  it('have names in kebab-case', () => {
    const odd = files.filter((file) => {
      // Next gives [param], [...rest], (group) and @slot a meaning.
      const name = file.path.split('/').at(-1) ?? '';
      return !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/.test(name);
    });
    expect(pathsOf(odd)).toEqual([]);
  });

  it('read the environment in server/config and scripts only', () => {
    const readers = source.filter((file) => {
      if (/^(server\/config|scripts|bench)\//.test(file.path)) return false;
      return /\bprocess\.env\b/.test(code(file));
    });
    // The composition root hands the environment on to what is allowed to see it, whole.
    expect(pathsOf(readers).filter((path) => path !== 'server/index.ts')).toEqual([]);
  });

  it('of the pure folders use no clock, no randomness and no timers', () => {
    const pure = source.filter((file) =>
      /^lib\/(shared|protocol|engine|registry|commands|keyboard|theme)\//.test(file.path),
    );
    expect(pure.length).toBeGreaterThan(30);
    const impure = pure.filter((file) =>
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b|\bset(Timeout|Interval|Immediate)\b|\bcrypto\.(randomUUID|getRandomValues)\b|\bfetch\(/.test(
        code(file),
      ),
    );
    expect(pathsOf(impure)).toEqual([]);
  });

  it('in lib/ and server/ have no index files that only pass others on', () => {
    const barrels = source.filter(
      (file) => /^(lib|server)\/.+\/index\.tsx?$/.test(file.path) || file.path === 'lib/index.ts',
    );
    expect(pathsOf(barrels)).toEqual([]);
  });

  it('of server/ do not import server-only, which throws in plain Node', () => {
    expect(pathsOf(source.filter((file) => /['"]server-only['"]/.test(code(file))))).toEqual([]);
  });

  it('load no fonts from the network at build time', () => {
    expect(pathsOf(source.filter((file) => /next\/font\/google/.test(code(file))))).toEqual([]);
  });
});
