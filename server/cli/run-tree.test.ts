import { describe, expect, it } from 'vitest';
import type { NodeView, RunDetail } from '@/lib/protocol/run';
import { treeLines } from '@/server/cli/run-tree';
import { cell, paintLine } from '@/server/cli/spans';
import { paintAnsi, paintNothing } from '@/server/cli/style';
import { step } from '@/tests/fixtures/cli/fake-instance';

const AT = Date.parse('2026-11-20T14:23:45.123Z');
const run = (nodes: NodeView[], more: Partial<RunDetail> = {}): RunDetail => ({
  runId: 'r1',
  workflowId: 'w1',
  workflow: 'nested',
  version: 2,
  status: 'running',
  createdAt: '2026-11-20T14:23:45.123Z',
  closedAt: null,
  durationMs: null,
  historyLength: 1,
  failure: null,
  input: {},
  output: null,
  nodes,
  ...more,
});
const done = (path: string, kind = 'transform') =>
  step(path, 'completed', { kind, server: null, tool: null, durationMs: 5 });
const text = (of: RunDetail, children = new Map()) =>
  treeLines({ run: of, children }, AT + 1500).map((line) => paintLine(line, paintNothing, 0));

describe('the tree of a run', () => {
  it('shows steps with glyph, call, attempt, time and failure; a running step counts on', () => {
    const failure = { code: 'TIMEOUT', message: 'too slow' };
    const lines = text(
      run([
        step('read', 'completed', { durationMs: 12 }),
        step('write', 'running', { attempt: 3 }),
        step('send', 'failed', { durationMs: 2000, failure }),
      ]),
    );
    expect(lines).toEqual([
      '▶ nested v2  r1  1.50 s',
      '├─ ✓ read  filesystem.read_text_file  12 ms',
      '├─ ▶ write  filesystem.read_text_file  attempt 3  1.50 s',
      '└─ ✕ send  filesystem.read_text_file  2.00 s  failed  TIMEOUT: too slow',
    ]);
  });

  it('nests branches and iterations, and sums up old iterations', () => {
    const iterations = Array.from({ length: 10 }, (_, i) => done(`each/${i}/inner`));
    const lines = text(
      run([done('each', 'loop'), ...iterations, step('each/10/inner', 'running'), done('after')]),
    );
    expect(lines.slice(1)).toEqual([
      '├─ ✓ each  loop  5 ms',
      '│  ├─ … 7 more iterations done',
      ...[7, 8, 9].flatMap((n) => [`│  ├─ ✓ [${n}]`, '│  │  └─ ✓ inner  transform  5 ms']),
      '│  └─ ▶ [10]',
      '│     └─ ▶ inner  filesystem.read_text_file  1.50 s',
      '└─ ✓ after  transform  5 ms',
    ]);
  });

  it('shows child runs under the step that started them, children of children too', () => {
    const child = (name: string, nodes: NodeView[]) =>
      run(nodes, { runId: name, workflow: name, status: 'completed', durationMs: 20 });
    const grandchild = { run: child('grandchild', [done('leaf')]), children: new Map() };
    const children = new Map([
      [
        'call',
        [{ run: child('child', [done('sub', 'subworkflow')]), children: new Map([['sub', [grandchild]]]) }],
      ],
    ]);
    const lines = text(run([done('call', 'subworkflow'), done('after')]), children);
    expect(lines.slice(1)).toEqual([
      '├─ ✓ call  subworkflow  5 ms',
      '│  └─ ✓ child v2  child  20 ms',
      '│     └─ ✓ sub  subworkflow  5 ms',
      '│        └─ ✓ grandchild v2  grandchild  20 ms',
      '│           └─ ✓ leaf  transform  5 ms',
      '└─ ✓ after  transform  5 ms',
    ]);
  });
});

describe('lines of a screen', () => {
  it('are cut by what is seen, not by their colours, and made safe', () => {
    expect(paintLine([['ok', 'abc'], 'def\u001b[2J'], paintAnsi, 5)).toBe('\u001b[92mabc\u001b[0md…');
    expect(paintLine(['a\u001b]0;x'], paintNothing, 0)).toBe('a\\u001b]0;x');
    expect([cell('abcdef', 4), cell('ab', 4), cell('ab', 4, true)]).toEqual(['abc…', 'ab  ', '  ab']);
  });
});
