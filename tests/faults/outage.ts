export async function runOutage(_: { outageMs: number; engines: number; say: (line: string) => void }): Promise<{ violations: string[]; text: string }> {
  throw new Error('not yet');
}
