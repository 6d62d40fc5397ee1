/** A TypeScript file and the bundle made of it; absolute paths. */
export interface BundlePaths {
  entry: string;
  outfile: string;
  /** With its packages, for a program that is started again and again. */
  whole?: boolean;
}

export function bundleAll(bundles: readonly BundlePaths[]): Promise<void>;
export function bundle(one: BundlePaths): Promise<void>;
export function bundleToCache(entry: string): Promise<string>;
