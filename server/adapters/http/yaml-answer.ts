import { stringify } from 'yaml';
import { AppError } from '@/lib/protocol/errors';

const YAML = /^(application\/(x-)?yaml|text\/(x-)?yaml)$/;

/**
 * What the caller would rather read, from its Accept header (RFC 9110 §12.5.1: quality first, then order). Throws
 * NOT_ACCEPTABLE when it takes neither.
 */
export function jsonOrYaml(headers: Headers): 'json' | 'yaml' {
  const accept = headers.get('accept');
  if (accept === null || accept.trim() === '') return 'json';
  const wanted = accept
    .toLowerCase()
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((text) => text.trim());
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return { type, q: quality === undefined ? 1 : Number(quality.slice(2)) || 0 };
    })
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q);
  for (const { type } of wanted) {
    if (YAML.test(type)) return 'yaml';
    if (['application/json', 'application/*', '*/*'].includes(type)) return 'json';
  }
  throw new AppError('NOT_ACCEPTABLE', 'This can be had as application/json and application/yaml.', {
    path: '/headers/accept',
  });
}

/** A value as a YAML document. */
export function yaml(status: number, value: unknown, headers: Record<string, string> = {}): Response {
  return new Response(stringify(value, { lineWidth: 100 }), {
    status,
    headers: { 'content-type': 'application/yaml', 'cache-control': 'no-store', vary: 'accept', ...headers },
  });
}
