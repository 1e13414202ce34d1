// Package deploy checks what is in the folder deploy with the libraries that its readers are made of: kustomize,
// the Compose loader, HCL, and Prometheus's parser and engine. They are hundreds of modules, so they
// have a module of their own; deploy's tests run this one's.
package deploy
