import { asRecord, asText } from './json';

/** Why something could not be done, for a person: what it is, the next step, and the key of the request that caused it. */
export interface Problem {
  message: string;
  hint?: string;
  field?: string;
  /** The runner's or the data source's word for the class of the error; empty where neither answered. */
  code: string;
  /** Of HTTP; undefined where no answer came. */
  status?: number;
}

const gone = 'The data source is not there any more';

/** Reads what a failed call of Grafana's fetch threw: an answer of ours, one of Grafana's own, or none at all. */
export function problemOf(error: unknown): Problem {
  const thrown = asRecord(error);
  const data = asRecord(thrown.data);
  const status = typeof thrown.status === 'number' && thrown.status > 0 ? thrown.status : undefined;
  const details = asRecord(data.details);
  const code = asText(data.code);
  const message = asText(data.message);
  if (code && message) {
    return { message, hint: asText(details.hint) || undefined, field: asText(details.field) || undefined, code, status };
  }
  return { code: '', status, ...wordsOf(status, message, error) };
}

function wordsOf(status: number | undefined, message: string, error: unknown): Pick<Problem, 'message' | 'hint'> {
  if (status === undefined) {
    const said = error instanceof Error ? error.message : asText(asRecord(error).message);
    return { message: `No answer came from Grafana${said ? ` (${said})` : ''}`, hint: 'check the connection; this page goes on trying' };
  }
  if (status === 404) {
    return { message: gone, hint: 'choose another one in the options of this panel, or add it again' };
  }
  if (status === 401 || status === 403) {
    return { message: message || 'Grafana does not let you use this data source', hint: 'log in again, or ask for access to it' };
  }
  return {
    message: message || `Grafana answered ${status}`,
    hint: status >= 500 ? 'look into the log of Grafana; this page goes on trying' : undefined,
  };
}

/** Whether the answer was final. Otherwise what was asked for may have happened all the same: the answer was lost on the way. */
export function isFinal({ code, status }: Problem): boolean {
  return status !== undefined && status < 500 && (code !== '' || status !== 408);
}

/** The problem and its next step in a sentence or two. */
export function sentenceOf({ message, hint }: Pick<Problem, 'message' | 'hint'>): string {
  return hint && !message.includes(hint) ? `${sentence(message)} ${sentence(hint)}` : sentence(message);
}

/** The runner's messages begin small, and with a name that must stay as it is where one leads. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const first = /^[a-z]+(?=[ ,]|$)/.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
