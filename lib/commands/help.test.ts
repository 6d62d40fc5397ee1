import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { cliDocs } from '@/lib/commands/docs';
import { commandHelp, EXIT_CODES, globalHelp, helpFor } from '@/lib/commands/help';
import { placeholderOf } from '@/lib/commands/parse';
import { COMMANDS, commandsOn, GLOBAL_FLAGS } from '@/lib/commands/registry';
import type { CommandSpec } from '@/lib/commands/types';

const rows: readonly CommandSpec[] = COMMANDS;

describe('help', () => {
  it('lists every command with its code and summary, every global flag and every exit code', () => {
    const lines = globalHelp('cli').split('\n');
    for (const row of rows) {
      expect(
        lines.filter(
          (line) =>
            line.startsWith(`  ${row.code} `) && line.includes(row.name) && line.endsWith(row.summary),
        ),
      ).toHaveLength(1);
    }
    for (const flag of GLOBAL_FLAGS) expect(globalHelp('cli')).toContain(`--${flag.name}`);
    for (const exit of EXIT_CODES)
      expect(lines.some((line) => line.startsWith(`  ${exit.code} `))).toBe(true);
  });

  it('shows the command bar only what it can do', () => {
    const lines = globalHelp('bar').split('\n');
    const codes = lines.flatMap((line) => /^ {2}([A-Z]{2,4}) /.exec(line)?.[1] ?? []);
    expect(codes).toEqual(commandsOn('bar').map((row) => row.code));
    expect(globalHelp('bar')).not.toContain('openconductor ');
  });

  it.each(rows.map((row) => [row.name, row] as const))('explains %s', (_name, row) => {
    const text = commandHelp(row, 'cli');
    const [head, blank, usage] = text.split('\n');
    expect(head).toBe(`${row.code}  ${row.summary}`);
    expect(blank).toBe('');
    expect(usage?.startsWith(`Usage: openconductor ${row.name}`)).toBe(true);
    const body = text.replace(/\s+/g, ' ');
    for (const spec of row.args) {
      expect(usage).toContain(placeholderOf(spec));
      expect(body).toContain(spec.summary);
    }
    for (const flag of row.flags) {
      expect(text).toContain(`--${flag.name}`);
      expect(body).toContain(flag.summary);
    }
    for (const example of row.examples) expect(text).toContain(`openconductor ${example.line}`);
    expect(text).toContain(`Needs the role ${row.role}.`);
    expect(text.split('\n').filter((line) => line.length > 100 && !line.includes('openconductor'))).toEqual(
      [],
    );
  });

  it('is found by name, code, alias, object or turned round', () => {
    const headOf = (...topic: string[]) => {
      const help = helpFor(topic, 'cli');
      return help.ok ? help.text.split('  ')[0] : help;
    };
    expect(headOf('run', 'list')).toBe('RUN');
    expect(headOf('list', 'runs')).toBe('RUN');
    expect(headOf('orc')).toBe('ORC');
    expect(headOf('run', 'start')).toBe('ORC');
    expect(headOf('workflow')).toBe('WF');
    expect(headOf('orchestrat')).toMatchObject({ ok: false, suggestion: 'orchestrate' });
  });

  it('is what docs/cli.md says', async () => {
    const written = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8');
    expect(written, 'run: node scripts/run-ts.mjs scripts/generate-cli-docs.ts').toBe(cliDocs());
  });
});
