/** An import that breaks the law. */
export interface Violation {
  rule: string;
  from: string;
  to: string;
  text: string;
}

export function cruise(root?: string): Promise<{ modules: number; violations: Violation[] }>;
