import { afterEach, expect, it, vi } from 'vitest';
import { step } from './progress.mjs';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('a step that takes long says what it waits for while it waits', async () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  let end = () => {};
  const done = step('tables', async (note) => {
    note('database created');
    await vi.advanceTimersByTimeAsync(2_000);
    note('migration waits for pid 7');
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  await vi.waitFor(() => expect(lines).toEqual(['  … tables', '  … tables: migration waits for pid 7']));
  end();
  await done;
  expect(lines.at(-1)).toMatch(/s {2}tables: database created; migration waits for pid 7$/);
});
