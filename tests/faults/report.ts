import { CLIENT_FAULTS } from '@/tests/faults/fault-log';
import { ALL_FAULTS, type FaultResult } from '@/tests/faults/harness';

interface Row {
  fault: string;
  struck: number;
  /** Null where nothing has to recover. */
  recovered: number | null;
  longestMs: number | null;
}

/** How often each fault struck, and how long it took until every shard was led again. */
export function faultTable(result: FaultResult): Row[] {
  return ALL_FAULTS.map((fault) => {
    const asked = CLIENT_FAULTS.find((name) => name === fault);
    if (asked !== undefined) return { fault, struck: result.asked[asked], recovered: null, longestMs: null };
    const entries = result.struck.filter((entry) => entry.fault === fault && entry.struck);
    const times = entries.flatMap((entry) =>
      entry.recoveredAt === null ? [] : [entry.recoveredAt - entry.healedAt],
    );
    return {
      fault,
      struck: entries.length,
      recovered: times.length,
      longestMs: times.length === 0 ? null : Math.max(...times),
    };
  });
}

/** The report for people. */
export function printReport(result: FaultResult): string {
  const rows = faultTable(result);
  const never = rows.filter((row) => row.struck === 0).map((row) => row.fault);
  const seconds = (ms: number | null) => (ms === null ? '-' : `${(ms / 1000).toFixed(1)} s`);
  const lines = [
    `${'fault'.padEnd(34)}${'struck'.padStart(7)}${'recovered'.padStart(11)}${'longest'.padStart(9)}`,
    ...rows.map(
      (row) =>
        `${row.fault.padEnd(34)}${String(row.struck).padStart(7)}${String(row.recovered ?? '-').padStart(11)}${seconds(row.longestMs).padStart(9)}`,
    ),
    '',
    `seed ${result.seed}: ${result.programs} programs, ${result.runs} runs checked, ${result.events} events, ${result.calls} calls, ` +
      `${result.struck.filter((entry) => entry.struck).length} faults, ${rows.reduce((sum, row) => sum + (row.recovered ?? 0), 0)} recoveries, ` +
      `longest ${seconds(Math.max(0, ...rows.map((row) => row.longestMs ?? 0)))}`,
    `${result.repeatedRequests} requests repeated, ${result.resolvedOutcomes} unknown outcomes resolved by a person, ${Math.round(result.seconds)} s`,
    ...(never.length === 0 ? [] : [`never struck: ${never.join(', ')}`]),
    `${result.lateCalls.length} calls of processes that were stopped right before the first byte (docs/failure-semantics.md, "the limit")`,
    ...result.lateCalls.map((text) => `  ${text}`),
    ...(result.complete ? [] : [`stopped after ${result.programs} programs: not all that were asked for`]),
    result.violations.length === 0 ? 'Every law holds.' : `${result.violations.length} VIOLATIONS`,
    ...result.timelines,
  ];
  return lines.join('\n');
}
