#include "latent_files.h"

#include <string.h>
#include <sys/xattr.h>

static const char name[] = "user.latent.made";

bool latent_file_note(const char *path, const char *value) {
  return setxattr(path, name, value, strlen(value), 0) == 0;
}

bool latent_file_find_note(const char *path, char *value, size_t size) {
  if (size == 0) return false;
  const ssize_t count = getxattr(path, name, value, size - 1);
  if (count < 0) return false;
  value[count] = 0;
  return true;
}
