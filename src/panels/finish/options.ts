/** Which parts the panel shows below its sentences. */
export interface FinishOptions {
  distributions: boolean;
  ratios: boolean;
  audit: boolean;
  capacity: boolean;
}

export const shownByDefault: FinishOptions = { distributions: true, ratios: true, audit: true, capacity: true };
