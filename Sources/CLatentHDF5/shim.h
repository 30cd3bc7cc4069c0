// HDF5 for Swift: constants that are macros, and the few calls whose signature depends on the
// library version or needs C callbacks. Works from HDF5 1.10 on.
#ifndef LATENT_HDF5_SHIM_H
#define LATENT_HDF5_SHIM_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline hid_t latent_h5_file_create_class(void) { return H5P_FILE_CREATE; }
static inline hid_t latent_h5_file_access_class(void) { return H5P_FILE_ACCESS; }
static inline hid_t latent_h5_group_create_class(void) { return H5P_GROUP_CREATE; }
static inline hid_t latent_h5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static inline hid_t latent_h5_dataset_access_class(void) { return H5P_DATASET_ACCESS; }
static inline hid_t latent_h5_attribute_create_class(void) { return H5P_ATTRIBUTE_CREATE; }
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
static inline hid_t latent_h5_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t latent_h5_native_b64(void) { return H5T_NATIVE_B64; }

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
static inline size_t latent_h5_variable(void) { return H5T_VARIABLE; }

// Gives back what the library allocated for texts of varying length.
static inline herr_t latent_h5_reclaim(hid_t type, hid_t space, void *texts) {
#if H5_VERSION_GE(1, 12, 0)
  return H5Treclaim(type, space, H5P_DEFAULT, texts);
#else
  return H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
#endif
}

// File systems that have no locks are read without them; a lock that another process holds counts.
static inline herr_t latent_h5_lock_where_possible(hid_t access) {
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 11, 0))
  return H5Pset_file_locking(access, true, true);
#else
  (void)access;
  return 0;
#endif
}

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
typedef H5L_info2_t latent_h5_link_info;
#define LATENT_H5_ITERATE H5Literate2
#define LATENT_H5_LINK_INFO H5Lget_info2
#else
typedef H5L_info_t latent_h5_link_info;
#define LATENT_H5_ITERATE H5Literate
#define LATENT_H5_LINK_INFO H5Lget_info
#endif

static inline herr_t latent_h5_visit_one(hid_t group, const char *name,
                                         const latent_h5_link_info *info, void *data) {
  struct latent_h5_visitor *visitor = (struct latent_h5_visitor *)data;
  (void)group;
  return visitor->visit(name, latent_h5_link_kind(info->type), visitor->context);
}

static inline herr_t latent_h5_links(hid_t group, latent_h5_visit visit, void *context) {
  struct latent_h5_visitor visitor = {visit, context};
  return LATENT_H5_ITERATE(group, H5_INDEX_NAME, H5_ITER_INC, NULL, latent_h5_visit_one, &visitor);
}

// The kind of a link, and the bytes of what it says, of links that are not hard.
static inline herr_t latent_h5_link_of(hid_t group, const char *name, latent_h5_link *kind,
                                       size_t *value_size) {
  latent_h5_link_info info;
  if (LATENT_H5_LINK_INFO(group, name, &info, H5P_DEFAULT) < 0) return -1;
  *kind = latent_h5_link_kind(info.type);
  *value_size = info.type == H5L_TYPE_HARD ? 0 : info.u.val_size;
  return 0;
}

// MARK: Identity of objects

typedef enum { LATENT_H5_GROUP, LATENT_H5_DATASET, LATENT_H5_TYPE, LATENT_H5_UNKNOWN } latent_h5_kind;

// What the object behind a hard link is, and where it lies in its file: the same number for every
// name of it.
static inline herr_t latent_h5_identity(hid_t group, const char *name, latent_h5_kind *kind,
                                        uint64_t *address) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  if (H5Oget_info_by_name3(group, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0) return -1;
  memcpy(address, &info.token, sizeof *address);
#else
  H5O_info_t info;
  if (H5Oget_info_by_name2(group, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0) return -1;
  *address = info.addr;
#endif
  switch (info.type) {
    case H5O_TYPE_GROUP: *kind = LATENT_H5_GROUP; break;
    case H5O_TYPE_DATASET: *kind = LATENT_H5_DATASET; break;
    case H5O_TYPE_NAMED_DATATYPE: *kind = LATENT_H5_TYPE; break;
    default: *kind = LATENT_H5_UNKNOWN;
  }
  return 0;
}

// Whether one of the first `most` stored chunks of a dataset went through the filter at `position`
// of its pipeline: writers may leave an optional filter out, chunk by chunk.
static inline bool latent_h5_needs_filter(hid_t dataset, unsigned position, unsigned most) {
#if H5_VERSION_GE(1, 10, 5)
  hsize_t count = 0, offset[H5S_MAX_RANK], size;
  const hid_t space = H5Dget_space(dataset);
  bool needed = space < 0 || H5Dget_num_chunks(dataset, space, &count) < 0;
  for (hsize_t i = 0; i < count && i < most && !needed; i++) {
    unsigned mask = 0;
    haddr_t address;
    needed = H5Dget_chunk_info(dataset, space, i, offset, &mask, &address, &size) < 0 ||
             !(mask >> position & 1);
  }
  if (space >= 0) H5Sclose(space);
  return needed;
#else
  (void)dataset, (void)position, (void)most;
  return true;
#endif
}

// MARK: Errors

struct latent_h5_message {
  char *text;
  size_t capacity;
  // The system's error number, where the system refused; 0 elsewhere.
  int system_error;
  // Whether the library lacks something that the file has.
  bool lacks;
  // Whether it lacks a filter.
  bool lacks_filter;
};

static inline herr_t latent_h5_keep_entry(unsigned n, const H5E_error2_t *entry, void *data) {
  struct latent_h5_message *message = (struct latent_h5_message *)data;
  if (entry->min_num == H5E_VERSION || entry->min_num == H5E_UNSUPPORTED ||
      entry->min_num == H5E_NOFILTER || entry->min_num == H5E_NOENCODER)
    message->lacks = true;
  if (entry->min_num == H5E_NOFILTER) message->lacks_filter = true;
  if (n != 0 || message->capacity == 0) return 0;
  const char *number = entry->desc ? strstr(entry->desc, "errno = ") : NULL;
  if (number) message->system_error = atoi(number + strlen("errno = "));
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

// Writes the innermost message of this thread's error stack into message->text, says what kind of
// trouble it is, and empties the stack.
static inline void latent_h5_take_error(struct latent_h5_message *message) {
  message->system_error = 0;
  message->lacks = message->lacks_filter = false;
  if (message->capacity > 0) message->text[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, latent_h5_keep_entry, message);
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
