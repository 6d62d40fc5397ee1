'use client';

import { type RefObject, useCallback, useRef, useState } from 'react';
import { DataGrid, type GridHandle } from '@/components/grid/data-grid';
import { STEP_COLUMNS } from '@/components/panels/run/step-columns';
import { StepDetail } from '@/components/panels/run/step-detail';
import { stepOfInterest } from '@/components/panels/run/steps';
import { DetailRegion } from '@/components/ui/detail-region';
import { EmptyState } from '@/components/ui/empty-state';
import type { NodeView, RunDetail } from '@/lib/protocol/run';

const pathOf = (node: NodeView) => node.path;

/**
 * The steps of a run, and what is known about one of them: the chosen one, or, until one is chosen, the one
 * that matters most at the moment.
 */
export function RunSteps({ run, grid }: { run: RunDetail; grid: RefObject<GridHandle | null> }) {
  const [path, setPath] = useState<string | null>(null);
  const detail = useRef<HTMLElement>(null);
  const chosen = run.nodes.find((node) => node.path === path) ?? null;
  const node = chosen ?? stepOfInterest(run.nodes);
  const open = useCallback(() => detail.current?.focus(), []);
  if (run.nodes.length === 0) {
    return (
      <EmptyState title="No step yet">
        <p className="m-0 text-dim">Steps appear here as soon as the engine has scheduled them.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <div
        className="flex shrink-0 flex-col"
        style={{ height: `min(45%, ${(run.nodes.length + 1) * 24 + 1}px)` }}
      >
        <DataGrid
          label="Steps"
          rows={run.nodes}
          rowKey={pathOf}
          columns={STEP_COLUMNS}
          selected={node?.path ?? null}
          onSelect={setPath}
          onOpen={open}
          handle={grid}
        />
      </div>
      <DetailRegion label="Step detail" element={detail} onBack={() => grid.current?.focus()}>
        {node === null ? null : <StepDetail key={node.path} node={node} chosen={chosen !== null} />}
      </DetailRegion>
    </>
  );
}
