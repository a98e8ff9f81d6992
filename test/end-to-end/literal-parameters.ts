/**
 * Kernel parameters that hold what boot loaders and shells act upon. Every one of them has to arrive as it is; `iPXE` reads none of them
 * as its own.
 */
export const literalParameters = [
  'dollar=$HOME',
  'command=$(reboot)',
  'backquotes=`reboot`',
  'semicolon=a;reboot',
  'and=a&&reboot',
  'or=a||reboot',
  'pipe=<a|b>c&',
  'comment=a#b',
  'braces={a,b}',
  'glob=/[a-z]*?',
  'percent=%s%n%%',
  'home=~root',
  'bang=!1',
  'menu="} menuentry x { reboot"',
  'blank="a b"',
  '{',
  '}',
  '~',
  '!',
] as const;
