type Section = Readonly<Record<string, string | number | boolean>>;

/** Formats a configuration file as oslo.config reads it. */
export function formatIni(sections: Readonly<Record<string, Section>>): string {
  return Object.entries(sections)
    .map(([name, options]) => {
      const lines = Object.entries(options).map(([key, value]) => `${key} = ${value}`);
      return `[${name}]\n${lines.join('\n')}\n`;
    })
    .join('\n');
}
