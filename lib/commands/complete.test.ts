import { describe, expect, it } from 'vitest';
import { complete } from '@/lib/commands/complete';
import { commandsOn } from '@/lib/commands/registry';

function texts(line: string): string[] {
  const words = line.split(' ');
  return complete(words.slice(0, -1), words.at(-1) ?? '', 'bar').candidates.map(
    (candidate) => candidate.text,
  );
}

function objectAt(line: string): string | undefined {
  const words = line.split(' ');
  return complete(words.slice(0, -1), words.at(-1) ?? '', 'bar').object;
}

describe('complete', () => {
  it('begins with objects, verbs and codes', () => {
    expect(texts('')).toEqual(expect.arrayContaining(['run', 'server', 'orchestrate', 'CANC']));
    expect(texts('or')).toEqual(['orchestrate', 'ORC']);
    expect(texts('')).not.toContain('start');
  });

  it('goes on with the functions of an object', () => {
    expect(texts('run ')).toEqual(
      commandsOn('bar')
        .filter((row) => row.name.startsWith('run '))
        .map((row) => row.name.slice('run '.length)),
    );
    expect(texts('run re')).toEqual(['resume', 'reject', 'resolve', 'retry', 'rerun', 'restart']);
    expect(texts('srv in')).toEqual(['inspect']);
    expect(texts('tas')).toContain('task');
    expect(texts('task ')).toEqual(['list']);
  });

  it('names the kind of live object that fits', () => {
    expect(objectAt('orchestrate ')).toBe('workflow');
    expect(objectAt('server call ')).toBe('server');
    expect(objectAt('server call memory ')).toBe('tool');
    expect(objectAt('orchestrate x --with ')).toBe('server');
    expect(objectAt('orchestrate --with a ')).toBe('workflow');
    expect(objectAt('health ')).toBeUndefined();
  });

  it('offers flags that are not there yet, and the words of an enum', () => {
    expect(texts('run list --status failed --')).toEqual([
      '--view',
      '--workflow',
      '--workflow-id',
      '--since',
      '--until',
      '--attribute',
      '--limit',
      '--cursor',
    ]);
    expect(texts('run list --status fa')).toEqual(['failed']);
    expect(texts('run list --status=ti')).toEqual(['--status=timed_out']);
    expect(texts('orchestrate x --with a --w')).toEqual(['--with', '--workflow-id']);
  });

  it('has nothing to say behind words that mean nothing', () => {
    expect(complete(['qqq', 'www'], '', 'bar')).toEqual({ candidates: [] });
  });
});
