declare module 'parse-prometheus-text-format' {
  /** One metric family of the Prometheus text format. Numbers are texts. */
  interface Family {
    name: string;
    help: string;
    type: string;
    metrics: {
      labels?: Record<string, string>;
      value?: string;
      count?: string;
      sum?: string;
      buckets?: Record<string, string>;
    }[];
  }
  export default function parsePrometheus(text: string): Family[];
}
