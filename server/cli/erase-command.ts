import type { userErase } from '@/lib/commands/rows/identity';
import type { ArgsOf } from '@/lib/commands/types';
import { type ErasureReport, erasureReportSchema } from '@/lib/protocol/api-erasure';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';

/** `user erase`: shows what is there, asks once, and does it. */
export async function erasePerson(args: ArgsOf<typeof userErase>, context: CliContext): Promise<number> {
  const { api, globals, interactive, output } = context;
  const { person, 'dry-run': dryRun = false, 'with-runs': withRuns = false } = args;
  const ask = (isDry: boolean) =>
    api.send('post', '/api/v1/erasures', {
      body: { person, withRuns, dryRun: isDry },
      schema: erasureReportSchema,
    });
  if (dryRun) return told(await ask(true), context);
  if (interactive && !globals.yes) {
    const before = await ask(true);
    if (before.allowed) {
      await told(before, context);
      if (!(await context.confirm(`Erase ${person} for good?`))) {
        output.note('warn', '⚠', 'Nothing was done');
        return EXIT.failed;
      }
    }
  }
  const report = await ask(false);
  output.note('ok', '✓', `Erased ${person}`, report.userId ?? '');
  return told(report, context);
}

async function told(report: ErasureReport, { output }: CliContext): Promise<number> {
  const rows = [
    ...report.removed.map((part) => ({ ...part, verdict: report.dryRun ? 'goes' : 'gone', why: '' })),
    ...report.kept.map((part) => ({ ...part, verdict: 'stays' })),
  ];
  await output.list(
    rows,
    [
      { title: 'WHAT', value: (row) => row.what },
      { title: 'COUNT', value: (row) => String(row.count) },
      { title: 'VERDICT', value: (row) => row.verdict },
      { title: 'WHY', value: (row) => row.why },
    ],
    report,
    'Nothing is known of them.',
  );
  if (report.obstacle !== null) output.note('warn', '⚠', report.obstacle);
  return EXIT.ok;
}
