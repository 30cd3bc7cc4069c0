// Attributes of files, which Swift's module of the C library leaves out.

#ifndef LATENT_FILES_H
#define LATENT_FILES_H

#include <stdbool.h>
#include <stddef.h>

// Notes `value` beside the file's contents; false where the file system has no room for such notes.
bool latent_file_note(const char *path, const char *value);
// The note, with a zero behind it; false where there is none, or one that is longer than `size` - 1.
bool latent_file_find_note(const char *path, char *value, size_t size);

#endif
