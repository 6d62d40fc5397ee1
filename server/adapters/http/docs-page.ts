export function docsPage(_d: unknown): string { return ''; }
