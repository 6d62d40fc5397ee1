// biome-ignore-all lint/a11y/useSemanticElements: a virtual grid is not a table; the ARIA grid pattern names its roles
'use client';

import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react';
import { GridHeader } from '@/components/grid/grid-header';
import { gridAction } from '@/components/grid/grid-navigation';
import { GridRow } from '@/components/grid/grid-row';
import { nextSort, sortRows } from '@/components/grid/grid-sort';
import type { Column, Sort } from '@/components/grid/grid-types';
import { useFollowEnd } from '@/components/grid/use-follow-end';
import { useGridFocus } from '@/components/grid/use-grid-focus';
import { useSettings } from '@/lib/client/settings-store';
import { SIZES } from '@/lib/theme/tokens';

/** What others may ask of a grid. */
export interface GridHandle {
  /** Moves the focus to the active cell. */
  focus(): void;
}

interface DataGridProps<T> {
  label: string;
  rows: readonly T[];
  rowKey: (row: T) => string;
  columns: readonly Column<T>[];
  /** Key of the chosen row. */
  selected?: string | null;
  /** A row was moved to or clicked. */
  onSelect?: (key: string) => void;
  /** Enter, or a double click. */
  onOpen?: (key: string) => void;
  /** The last row has come into view. */
  onEnd?: () => void;
  /** Stay at the newest row, at the end, until the reader scrolls away. */
  follow?: boolean;
  handle?: React.Ref<GridHandle>;
}

/**
 * A virtual grid of fixed rows: any number of rows, a few dozen in the document. One tab stop; arrows, Home, End,
 * PgUp, PgDn, Enter and j k h l s inside (ARIA grid pattern). The place of the focus belongs to the row,
 * not to its position, so that rows that come in above do not move it.
 */
export function DataGrid<T>(props: DataGridProps<T>) {
  const {
    label,
    rows,
    rowKey,
    columns,
    selected = null,
    onSelect,
    onOpen,
    onEnd,
    follow = false,
    handle,
  } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [sort, setSort] = useState<Sort | null>(null);
  const [place, setPlace] = useState<{ key: string | null; column: number }>({ key: null, column: 0 });
  const singleKeys = useSettings((state) => state.singleKeys);

  const shown = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
  const template = useMemo(() => trackList(columns), [columns]);
  const minWidth = useMemo(() => columns.reduce((sum, column) => sum + column.chars, 0), [columns]);

  const wanted = place.key ?? selected;
  const found = wanted === null ? -1 : shown.findIndex((row) => rowKey(row) === wanted);
  const active = found >= 0 ? found : follow ? Math.max(0, shown.length - 1) : 0;
  const activeRow = shown[active];
  const activeColumn = columns[place.column] ?? columns[0];
  const activeCell = activeRow && activeColumn ? `${rowKey(activeRow)}|${activeColumn.id}` : null;
  const focus = useGridFocus(scroller, activeCell);

  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => SIZES.row,
    overscan: 8,
    paddingStart: SIZES.row,
    scrollPaddingStart: SIZES.row,
    // The active row stays in the document even when it is scrolled out: the focus lives in it.
    rangeExtractor: (range) => {
      const indexes: number[] = [];
      const first = Math.max(0, range.startIndex - range.overscan);
      const last = Math.min(range.count - 1, range.endIndex + range.overscan);
      if (active < first && active < range.count) indexes.push(active);
      for (let index = first; index <= last; index++) indexes.push(index);
      if (active > last && active < range.count) indexes.push(active);
      return indexes;
    },
  });

  const unseen = useFollowEnd(scroller, shown.length, follow && sort === null);

  const moveTo = useCallback(
    (index: number, column: number) => {
      const row = shown[index];
      if (!row) return;
      const key = rowKey(row);
      setPlace({ key, column });
      focus.take();
      virtual.scrollToIndex(index, { align: 'auto' });
      onSelect?.(key);
    },
    [shown, rowKey, focus, virtual, onSelect],
  );
  const open = (index: number) => {
    const row = shown[index];
    if (row) onOpen?.(rowKey(row));
  };

  // Rows are drawn again only when their props change, so these two keep their identity.
  const latest = useRef({ moveTo, open });
  latest.current = { moveTo, open };
  const pickRow = useCallback((index: number, column: number) => latest.current.moveTo(index, column), []);
  const openRow = useCallback((index: number) => latest.current.open(index), []);

  useImperativeHandle(handle, () => ({
    focus: () => {
      focus.take();
      if (shown.length > 0) virtual.scrollToIndex(active, { align: 'auto' });
      const cell =
        activeCell && scroller.current?.querySelector<HTMLElement>(`[data-cell="${CSS.escape(activeCell)}"]`);
      (cell || scroller.current)?.focus({ preventScroll: true });
    },
  }));

  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / SIZES.row) - 2);
    const action = gridAction(
      { ...pick(event), isComposing: event.nativeEvent.isComposing },
      { row: active, column: place.column },
      { rows: shown.length, columns: columns.length, page, singleKeys },
    );
    if (action === null) return;
    event.preventDefault();
    if (action.kind === 'move') moveTo(action.to.row, action.to.column);
    else if (action.kind === 'open') open(active);
    else if (activeColumn?.sortBy) setSort(nextSort(sort, activeColumn.id));
  };

  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (lastShown >= 0 && lastShown >= rows.length - 1) onEnd?.();
  }, [lastShown, rows.length, onEnd]);

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="grid"
        aria-label={label}
        aria-rowcount={shown.length + 1}
        aria-colcount={columns.length}
        tabIndex={shown.length === 0 ? 0 : -1}
        onKeyDown={onKeyDown}
        onFocus={focus.onFocus}
        onBlur={focus.onBlur}
        className="absolute inset-0 overflow-auto bg-bg outline-none"
      >
        <div
          role="presentation"
          className="relative"
          style={{ minWidth: `${minWidth}ch`, height: `${virtual.getTotalSize()}px` }}
        >
          <GridHeader
            columns={columns}
            template={template}
            sort={sort}
            onSort={(column) => setSort(nextSort(sort, column))}
          />
          <div role="rowgroup" className="absolute top-0 left-0 w-full">
            {items.map((item) => {
              const row = shown[item.index];
              if (!row) return null;
              const key = rowKey(row);
              return (
                <GridRow
                  key={key}
                  row={row}
                  rowKey={key}
                  index={item.index}
                  top={item.start}
                  columns={columns}
                  template={template}
                  selected={key === selected}
                  active={item.index === active ? place.column : -1}
                  onPick={pickRow}
                  onOpen={openRow}
                />
              );
            })}
          </div>
        </div>
      </div>
      {unseen.count > 0 ? (
        <button
          type="button"
          onClick={unseen.goToEnd}
          className="absolute right-[20px] bottom-[8px] h-row cursor-pointer border border-accent bg-raised px-[8px] text-accent"
        >
          {unseen.count.toLocaleString('en-GB')} new ↓
        </button>
      ) : null}
    </div>
  );
}

function trackList<T>(columns: readonly Column<T>[]): string {
  return columns.map(({ chars, grow }) => (grow ? `minmax(${chars}ch, ${grow}fr)` : `${chars}ch`)).join(' ');
}

function pick({ key, ctrlKey, shiftKey, altKey, metaKey, repeat }: KeyboardEvent) {
  return { key, ctrlKey, shiftKey, altKey, metaKey, repeat };
}
