// A terminal's text with colours as an SVG picture, for the README.

/** ESC, which opens a colour; not written into a pattern, where it could not be seen. */
const opener = String.fromCharCode(27);
const colour = new RegExp(`(${opener}\\[\\d+m)`, 'g');

const colours: Readonly<Record<string, string>> = {
  '31': '#f7768e',
  '33': '#e0af68',
  '36': '#7dcfff',
};
const cell = { width: 7.8, height: 17 };
const margin = 14;

/** Takes text with ANSI colours (bold, dim, red, yellow, cyan); gives the SVG. */
export function terminalPicture(text: string): string {
  const lines = text.replace(/\n+$/, '').split('\n');
  const columns = Math.max(...lines.map((one) => bare(one).length));
  const width = Math.ceil(columns * cell.width + margin * 2);
  const height = lines.length * cell.height + margin * 2;
  const font = 'ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${font}" font-size="13">`,
    `<rect width="100%" height="100%" rx="8" fill="#1a1b26"/>`,
    ...lines.map((one, at) => row(one, margin + (at + 0.8) * cell.height)),
    '</svg>\n',
  ].join('\n');
}

function row(line: string, y: number): string {
  let style = { fill: '#c0caf5', weight: 'normal', opacity: '1' };
  let column = 0;
  const spans: string[] = [];
  for (const part of line.split(colour)) {
    const code = part.startsWith(opener) ? part.slice(2, -1) : undefined;
    if (code !== undefined) style = styled(style, code);
    else if (part !== '') {
      const x = (margin + column * cell.width).toFixed(1);
      const look = `fill="${style.fill}" font-weight="${style.weight}" fill-opacity="${style.opacity}"`;
      const length = `textLength="${([...part].length * cell.width).toFixed(1)}"`;
      spans.push(`<tspan x="${x}" ${length} ${look}>${escaped(part)}</tspan>`);
      column += [...part].length;
    }
  }
  return `<text y="${y.toFixed(1)}" xml:space="preserve">${spans.join('')}</text>`;
}

function styled(old: { fill: string; weight: string; opacity: string }, code: string) {
  if (code === '1') return { ...old, weight: 'bold' };
  if (code === '2') return { ...old, opacity: '0.6' };
  if (code === '22') return { ...old, weight: 'normal', opacity: '1' };
  if (code === '39') return { ...old, fill: '#c0caf5' };
  return { ...old, fill: colours[code] ?? old.fill };
}

function bare(line: string): string {
  return line.replaceAll(colour, '');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
