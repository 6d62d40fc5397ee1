'use client';

import { useEffect, useState } from 'react';
import { useConnection } from '@/lib/client/connection-store';
import { useRuns } from '@/lib/client/runs-store';
import { isOpenRun } from '@/lib/theme/status';

/** Figures of the whole screen, renewed once a second: what runs now, and how many events come in. */
export function Figures() {
  const [figures, setFigures] = useState({ open: 0, failed: 0, rate: 0 });
  useEffect(() => {
    let seen = useConnection.getState().events;
    const read = () => {
      const { events } = useConnection.getState();
      let open = 0;
      let failed = 0;
      for (const run of useRuns.getState().byId.values()) {
        if (isOpenRun(run.status)) open++;
        else if (run.failure !== null) failed++;
      }
      const rate = events - seen;
      seen = events;
      setFigures((old) =>
        old.open === open && old.failed === failed && old.rate === rate ? old : { open, failed, rate },
      );
    };
    read();
    const timer = setInterval(read, 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <dl className="m-0 flex items-center gap-[16px]">
      <Figure name="OPEN" value={figures.open} tone={figures.open > 0 ? 'text-active' : 'text-text'} />
      <Figure name="FAILED" value={figures.failed} tone={figures.failed > 0 ? 'text-danger' : 'text-text'} />
      <Figure name="EVENTS/S" value={figures.rate} tone="text-text" />
    </dl>
  );
}

function Figure({ name, value, tone }: { name: string; value: number; tone: string }) {
  return (
    <div className="flex items-center gap-[6px]">
      <dt className="text-[11px] text-dim">{name}</dt>
      <dd className={`m-0 min-w-[3ch] text-right ${tone}`}>{value.toLocaleString('en-GB')}</dd>
    </div>
  );
}
