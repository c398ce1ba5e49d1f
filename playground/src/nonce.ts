/** Monaco and others add style elements of their own: they carry the page's nonce, or its policy would refuse them. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce
const create = document.createElement.bind(document)

if (nonce) {
  document.createElement = (name: string, options?: ElementCreationOptions) => {
    const element = create(name, options)
    if (element instanceof HTMLStyleElement) element.nonce = nonce
    return element
  }
}

export {}
