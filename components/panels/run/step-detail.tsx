'use client';

import { targetText } from '@/components/panels/run/steps';
import { JsonView } from '@/components/ui/json-view';
import { StatusBadge } from '@/components/ui/status-badge';
import { duration } from '@/lib/client/format';
import type { NodeView } from '@/lib/protocol/run';
import { NODE_LOOKS } from '@/lib/theme/status';

/** Input, output and failure of one step. */
export function StepDetail({ node, chosen }: { node: NodeView; chosen: boolean }) {
  const target = targetText(node);
  return (
    <>
      <div className="sticky top-0 z-10 flex h-row shrink-0 items-center gap-[12px] overflow-hidden border-b border-border bg-raised px-[1ch] whitespace-nowrap">
        <h3 className="m-0 text-base font-bold">{node.path}</h3>
        <StatusBadge look={NODE_LOOKS[node.status]} />
        <span className="text-dim">
          {target || node.kind}
          {node.durationMs === null ? '' : ` · ${duration(node.durationMs)}`}
          {node.attempt > 1 ? ` · try ${node.attempt}` : ''}
        </span>
        {chosen ? null : <span className="ml-auto text-dim">following the run</span>}
      </div>
      <div className="flex flex-col gap-[8px] p-[1ch]">
        {node.failure === null ? null : <JsonView label="Failure" value={node.failure} />}
        <JsonView label="Input" value={node.input} />
        <JsonView label={node.endedAt === null ? 'Output so far' : 'Output'} value={node.output} />
      </div>
    </>
  );
}
