import type { ViewColumn, ViewFilters, ViewSort } from '@/lib/protocol/views';

/** A stored view of the list of runs. Times in epoch milliseconds. */
export interface StoredView {
  viewId: string;
  organizationId: string;
  name: string;
  /** Id of the actor who made it. */
  owner: string;
  shared: boolean;
  filters: ViewFilters;
  columns: ViewColumn[];
  sort: ViewSort;
  version: number;
  createdAt: number;
  updatedAt: number;
}

/** What a change replaces. */
export type ViewFacts = Pick<StoredView, 'name' | 'shared' | 'filters' | 'columns' | 'sort'>;

/** Saved views, within one organisation. Who may see which is the service's business. */
export interface ViewStore {
  /** By name; shared ones, those of `owner` and those with these ids. */
  list(organizationId: string, owner: string, viewIds?: readonly string[]): Promise<StoredView[]>;
  get(organizationId: string, viewId: string): Promise<StoredView | null>;
  /** Null when the name is taken. */
  create(view: Omit<StoredView, 'createdAt' | 'updatedAt' | 'version'>): Promise<StoredView | null>;
  /** Replaces version `seen`; `conflict` when that is not the newest one any more, `taken` when the name is. */
  update(
    organizationId: string,
    viewId: string,
    seen: number,
    facts: ViewFacts,
  ): Promise<StoredView | 'conflict' | 'taken'>;
  /** False when that version (any one when null) is not there. */
  remove(organizationId: string, viewId: string, seen: number | null): Promise<boolean>;
}
