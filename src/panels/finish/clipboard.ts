/** Puts text on the clipboard. Pages that are not served over TLS have none; there the text becomes a file. */
export async function copyText(text: string, file: string, type: string): Promise<'copied' | 'saved'> {
  if (window.isSecureContext && navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return 'copied';
  }
  save(new Blob([text], { type }), file);
  return 'saved';
}

/** Puts a picture on the clipboard, or makes a file of it where that cannot be. */
export async function copyPicture(markup: string, width: number, height: number, file: string): Promise<'copied' | 'saved'> {
  const png = await rasterise(markup, width, height);
  if (window.isSecureContext && typeof ClipboardItem !== 'undefined' && navigator.clipboard) {
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
      return 'copied';
    } catch {
      // The user or the browser forbids it: a file is better than nothing.
    }
  }
  save(png, file);
  return 'saved';
}

/** Twice as many pixels as on the screen, so that it is sharp in a document. */
const density = 2;

async function rasterise(markup: string, width: number, height: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(markup)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * density;
  canvas.height = height * density;
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no PNG of the picture'))), 'image/png')
  );
}

function save(blob: Blob, file: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // the download has begun by then
}
