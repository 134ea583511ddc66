/** What a gateway process says of itself at a scrape. */
export interface ProcessNumbers {
  /** MiB. */
  readonly resident: number;
  /** MiB of JavaScript objects. */
  readonly heap: number;
  /** Seconds of CPU since its start. */
  readonly cpu: number;
  readonly descriptors: number;
}

export async function processNumbers(adminUrl: string): Promise<ProcessNumbers> {
  const text = await scrape(adminUrl);
  return {
    resident: series(text, 'process_resident_memory_bytes') / 2 ** 20,
    heap: series(text, 'nodejs_heap_size_used_bytes') / 2 ** 20,
    cpu: series(text, 'process_cpu_seconds_total'),
    descriptors: series(text, 'process_open_fds'),
  };
}

/** Value of one series, labels and all; 0 where it is not exported yet. */
export async function metric(adminUrl: string, name: string): Promise<number> {
  return series(await scrape(adminUrl), name);
}

async function scrape(adminUrl: string): Promise<string> {
  return (await fetch(`${adminUrl}/metrics`)).text();
}

function series(text: string, name: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
