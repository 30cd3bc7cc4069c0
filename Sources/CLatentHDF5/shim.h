// HDF5 for Swift: constants that are macros, and the few calls whose signature depends on the
// library version or needs C callbacks. Works from HDF5 1.10 on.
#ifndef LATENT_HDF5_SHIM_H
#define LATENT_HDF5_SHIM_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline hid_t latent_h5_file_create_class(void) { return H5P_FILE_CREATE; }
static inline hid_t latent_h5_file_access_class(void) { return H5P_FILE_ACCESS; }
static inline hid_t latent_h5_group_create_class(void) { return H5P_GROUP_CREATE; }
static inline hid_t latent_h5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static inline hid_t latent_h5_dataset_access_class(void) { return H5P_DATASET_ACCESS; }
static inline hid_t latent_h5_link_create_class(void) { return H5P_LINK_CREATE; }
static inline hid_t latent_h5_default_list(void) { return H5P_DEFAULT; }
static inline hid_t latent_h5_all(void) { return H5S_ALL; }
static inline hid_t latent_h5_error_stack(void) { return H5E_DEFAULT; }
static inline unsigned latent_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline H5F_libver_t latent_h5_latest(void) { return H5F_LIBVER_LATEST; }
static inline unsigned latent_h5_truncate(void) { return H5F_ACC_TRUNC; }

static inline hid_t latent_h5_f32le(void) { return H5T_IEEE_F32LE; }
static inline hid_t latent_h5_f64le(void) { return H5T_IEEE_F64LE; }
static inline hid_t latent_h5_i32le(void) { return H5T_STD_I32LE; }
static inline hid_t latent_h5_u8le(void) { return H5T_STD_U8LE; }
static inline hid_t latent_h5_i8le(void) { return H5T_STD_I8LE; }
static inline hid_t latent_h5_u32le(void) { return H5T_STD_U32LE; }
static inline hid_t latent_h5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t latent_h5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t latent_h5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t latent_h5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t latent_h5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t latent_h5_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t latent_h5_native_int8(void) { return H5T_NATIVE_INT8; }

// bfloat16, which HDF5 knows as a floating-point number of its fields: the sign in bit 15, 8 bits of
// exponent from bit 7, 7 bits of mantissa. Other programs read it as such. The caller closes it.
static inline hid_t latent_h5_make_bf16(bool little_endian) {
  const hid_t type = H5Tcopy(little_endian ? H5T_IEEE_F32LE : H5T_NATIVE_FLOAT);
  if (type < 0) return type;
  if (H5Tset_fields(type, 15, 7, 8, 0, 7) < 0 || H5Tset_size(type, 2) < 0 ||
      H5Tset_ebias(type, 127) < 0) {
    H5Tclose(type);
    return H5I_INVALID_HID;
  }
  return type;
}
static inline hid_t latent_h5_c_string(void) { return H5T_C_S1; }

// MARK: Links of a group, in the order of their names

typedef enum { LATENT_H5_HARD, LATENT_H5_SOFT, LATENT_H5_EXTERNAL, LATENT_H5_OTHER } latent_h5_link;

// Returns 0 to go on, anything else to stop.
typedef int (*latent_h5_visit)(const char *name, latent_h5_link kind, void *context);

struct latent_h5_visitor {
  latent_h5_visit visit;
  void *context;
};

static inline latent_h5_link latent_h5_link_kind(H5L_type_t type) {
  switch (type) {
    case H5L_TYPE_HARD: return LATENT_H5_HARD;
    case H5L_TYPE_SOFT: return LATENT_H5_SOFT;
    case H5L_TYPE_EXTERNAL: return LATENT_H5_EXTERNAL;
    default: return LATENT_H5_OTHER;
  }
}

#if H5_VERSION_GE(1, 12, 0)
static inline herr_t latent_h5_visit_one(hid_t group, const char *name, const H5L_info2_t *info,
                                         void *data) {
  struct latent_h5_visitor *visitor = (struct latent_h5_visitor *)data;
  (void)group;
  return visitor->visit(name, latent_h5_link_kind(info->type), visitor->context);
}

static inline herr_t latent_h5_links(hid_t group, latent_h5_visit visit, void *context) {
  struct latent_h5_visitor visitor = {visit, context};
  return H5Literate2(group, H5_INDEX_NAME, H5_ITER_INC, NULL, latent_h5_visit_one, &visitor);
}
#else
static inline herr_t latent_h5_visit_one(hid_t group, const char *name, const H5L_info_t *info,
                                         void *data) {
  struct latent_h5_visitor *visitor = (struct latent_h5_visitor *)data;
  (void)group;
  return visitor->visit(name, latent_h5_link_kind(info->type), visitor->context);
}

static inline herr_t latent_h5_links(hid_t group, latent_h5_visit visit, void *context) {
  struct latent_h5_visitor visitor = {visit, context};
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, latent_h5_visit_one, &visitor);
}
#endif

// MARK: Identity of objects

// Where an open object lies in its file: the same number for every name of it.
static inline herr_t latent_h5_address(hid_t object, uint64_t *address) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  if (H5Oget_info3(object, &info, H5O_INFO_BASIC) < 0) return -1;
  memcpy(address, &info.token, sizeof *address);
#else
  H5O_info_t info;
  if (H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0) return -1;
  *address = info.addr;
#endif
  return 0;
}

// MARK: Errors

struct latent_h5_message {
  char *text;
  size_t capacity;
};

// Keeps the innermost entry of the stack: what went wrong, and in which function.
static inline herr_t latent_h5_keep_entry(unsigned n, const H5E_error2_t *entry, void *data) {
  struct latent_h5_message *message = (struct latent_h5_message *)data;
  if (n != 0 || message->capacity == 0) return 0;
  const char *parts[] = {entry->desc ? entry->desc : "no description", " (",
                         entry->func_name ? entry->func_name : "unknown function", ")"};
  size_t used = 0;
  for (int i = 0; i < 4; i++) {
    size_t room = message->capacity - 1 - used, length = strlen(parts[i]);
    if (length > room) length = room;
    memcpy(message->text + used, parts[i], length);
    used += length;
  }
  message->text[used] = 0;
  return 0;
}

// Writes the innermost message of this thread's error stack into text and empties the stack.
static inline void latent_h5_take_error(char *text, size_t capacity) {
  struct latent_h5_message message = {text, capacity};
  if (capacity > 0) text[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, latent_h5_keep_entry, &message);
  H5Eclear2(H5E_DEFAULT);
}

// The printing of errors is a property of each thread's stack.
static inline void latent_h5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

// MARK: A file image that HDF5 reads where it lies, without the two copies of H5Pset_file_image

struct latent_h5_image {
  void *bytes;
  size_t count;
};

static inline void *latent_h5_image_malloc(size_t size, H5FD_file_image_op_t op, void *data) {
  struct latent_h5_image *image = (struct latent_h5_image *)data;
  (void)op;
  return size == image->count ? image->bytes : NULL;
}
static inline void *latent_h5_image_memcpy(void *to, const void *from, size_t size,
                                           H5FD_file_image_op_t op, void *data) {
  struct latent_h5_image *image = (struct latent_h5_image *)data;
  (void)op;
  return to == image->bytes && from == image->bytes && size == image->count ? to : NULL;
}
static inline void *latent_h5_image_realloc(void *bytes, size_t size, H5FD_file_image_op_t op,
                                            void *data) {
  (void)bytes, (void)size, (void)op, (void)data;
  return NULL;
}
static inline herr_t latent_h5_image_free(void *bytes, H5FD_file_image_op_t op, void *data) {
  (void)bytes, (void)op, (void)data;
  return 0;
}
static inline void *latent_h5_image_share(void *data) { return data; }
static inline herr_t latent_h5_image_drop(void *data) {
  (void)data;
  return 0;
}

// `image` and its bytes must outlive the property list and every file opened with it, read-only.
static inline herr_t latent_h5_set_image(hid_t access, struct latent_h5_image *image) {
  H5FD_file_image_callbacks_t callbacks = {
      latent_h5_image_malloc, latent_h5_image_memcpy, latent_h5_image_realloc,
      latent_h5_image_free,   latent_h5_image_share,  latent_h5_image_drop,
      image};
  if (H5Pset_file_image_callbacks(access, &callbacks) < 0) return -1;
  return H5Pset_file_image(access, image->bytes, image->count);
}

#endif
