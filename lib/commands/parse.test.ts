import { describe, expect, it } from 'vitest';
import { type ParsedCommand, type ParseError, parseLine } from '@/lib/commands/parse';
import type { ArgValue } from '@/lib/commands/types';

const RUN = '0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10';
const knows = (kind: string, name: string) => kind === 'server' && name === 'lost';

function good(line: string): {
  name: string;
  args: ParsedCommand['args'];
  globals: ParsedCommand['globals'];
} {
  const result = parseLine(line, { knows });
  if (!result.ok) throw new Error(`${line}: ${result.error.message}`);
  const { command, args, globals } = result.parsed;
  return { name: command.name, args, globals };
}

function bad(line: string): Omit<ParseError, 'line' | 'command'> & { token: string } {
  const result = parseLine(line, { knows });
  if (result.ok) throw new Error(`${line} was understood as ${result.parsed.command.name}`);
  const { error } = result;
  expect(error.line).toBe(line);
  return { ...error, token: line.slice(error.start, error.end) };
}

describe('the grammar', () => {
  it.each<[string, string, Record<string, ArgValue>]>([
    [
      `orchestrate doc-pipeline --with filesystem,memory --input '{"path":"a.txt"}'`,
      'orchestrate',
      {
        workflow: 'doc-pipeline',
        with: ['filesystem', 'memory'],
        input: { from: 'inline', value: { path: 'a.txt' } },
      },
    ],
    ['run list --status failed', 'run list', { status: 'failed' }],
    ['RUN LIST -s failed -n 5', 'run list', { status: 'failed', limit: 5 }],
    ['list runs', 'run list', {}],
    ['show workflow a', 'workflow show', { workflow: 'a' }],
    ['runs', 'run list', {}],
    ['RUN --status failed', 'run list', { status: 'failed' }],
    ['WF', 'workflow list', {}],
    ['SRV memory', 'server inspect', { server: 'memory' }],
    ['SRV lost', 'server inspect', { server: 'lost' }],
    ['SRV memory CALL read_graph', 'server call', { server: 'memory', tool: 'read_graph' }],
    ['srv memory call read_graph', 'server call', { server: 'memory', tool: 'read_graph' }],
    ['memory CALL read_graph', 'server call', { server: 'memory', tool: 'read_graph' }],
    ['doc-pipeline ORC --detach', 'orchestrate', { workflow: 'doc-pipeline', detach: true }],
    ['lost call x', 'server call', { server: 'lost', tool: 'x' }],
    ['WF doc-pipeline ORC', 'orchestrate', { workflow: 'doc-pipeline' }],
    [`RUN ${RUN}`, 'run show', { run: RUN }],
    [`RUN ${RUN} EVT --after 3`, 'run events', { run: RUN, after: 3 }],
    [`CANC ${RUN}`, 'run cancel', { run: RUN }],
    [`EVT -f ${RUN}`, 'run events', { run: RUN, follow: true }],
    ['run start x', 'orchestrate', { workflow: 'x' }],
    ['orchestrate --with a --with b,c x', 'orchestrate', { workflow: 'x', with: ['a', 'b', 'c'] }],
    [
      'orchestrate x --input {"a": 1} --timeout 1.5m',
      'orchestrate',
      { workflow: 'x', input: { from: 'inline', value: { a: 1 } }, timeout: 90_000 },
    ],
    ['orchestrate x --input -', 'orchestrate', { workflow: 'x', input: { from: 'stdin' } }],
    ['orchestrate x --detach=false', 'orchestrate', { workflow: 'x', detach: false }],
    ['orchestrate -- --odd', 'orchestrate', { workflow: '--odd' }],
    [`orchestrate '--odd'`, 'orchestrate', { workflow: '--odd' }],
    ['help run list', 'help', { topic: ['run', 'list'] }],
    ['run list --status nonsense --help', 'help', { topic: ['run', 'list'] }],
    ['run --help', 'help', { topic: ['run'] }],
    ['ORC -h', 'help', { topic: ['ORC'] }],
    ['--help', 'help', {}],
  ])('understands %s', (line, name, args) => {
    expect(good(line)).toMatchObject({ name, args });
    expect(Object.keys(good(line).args).sort()).toEqual(Object.keys(args).sort());
  });

  it('takes global flags before and behind the command', () => {
    expect(good('--json run list --url http://h:1').globals).toEqual({ json: true, url: 'http://h:1' });
    expect(good('run list -o yaml').globals).toEqual({ output: 'yaml' });
  });

  it.each<[string, string, string, string | undefined]>([
    ['', 'EMPTY', '', 'help'],
    ['--json', 'EMPTY', '', 'help'],
    ['run "list', 'UNCLOSED_QUOTE', '"list', undefined],
    ['orchestrate x --input {"a"', 'UNCLOSED_BRACKET', '{"a"', undefined],
    ['orchestrat x', 'UNKNOWN_COMMAND', 'orchestrat', 'orchestrate'],
    ['launch x', 'UNKNOWN_COMMAND', 'launch', 'orchestrate'],
    ['qqqqqq', 'UNKNOWN_COMMAND', 'qqqqqq', undefined],
    ['run lst', 'UNKNOWN_FUNCTION', 'lst', 'run list'],
    ['server inspekt memory', 'UNKNOWN_FUNCTION', 'inspekt', 'server inspect'],
    ['run list --stauts failed', 'UNKNOWN_FLAG', '--stauts', '--status'],
    ['--stauts run list', 'UNKNOWN_FLAG', '--stauts', undefined],
    ['run list --zzzzzz=1', 'UNKNOWN_FLAG', '--zzzzzz=1', undefined],
    ['run list -q', 'UNKNOWN_FLAG', '-q', undefined],
    ['run list --status', 'MISSING_VALUE', '', undefined],
    ['orchestrate x --input --detach', 'MISSING_VALUE', '', undefined],
    ['run list --status fialed', 'INVALID_VALUE', 'fialed', 'failed'],
    ['run list --limit=0', 'INVALID_VALUE', '--limit=0', undefined],
    ['run list --limit -5', 'INVALID_VALUE', '-5', undefined],
    ['orchestrate x --timeout 30', 'INVALID_VALUE', '30', '30s'],
    [`orchestrate x --input '{"a":1,}'`, 'INVALID_JSON', '}', undefined],
    ['run list --status failed --status running', 'REPEATED_FLAG', '--status', undefined],
    ['orchestrate', 'MISSING_ARGUMENT', '', undefined],
    ['server call memory', 'MISSING_ARGUMENT', '', undefined],
    ['health now', 'UNEXPECTED_ARGUMENT', 'now', undefined],
    ['run show a b', 'UNEXPECTED_ARGUMENT', 'b', undefined],
    ['workflow validate x.json', 'NOT_HERE', 'workflow', undefined],
  ])('refuses %s: %s at "%s"', (line, code, token, suggestion) => {
    const error = bad(line);
    expect({ code: error.code, token: error.token, suggestion: error.suggestion }).toEqual({
      code,
      token,
      suggestion,
    });
  });

  it('places what is missing at the end of what was typed', () => {
    expect(bad('run list --status').start).toBe('run list --status'.length);
    expect(bad('server call memory').argument).toBe('tool');
  });
});
