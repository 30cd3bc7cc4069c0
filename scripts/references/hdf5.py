"""Files for Tests/LatentStorageTests/HDF5*Tests.swift, as h5py and HDF5 2.0 write them, compressed.

    python3 scripts/references/hdf5.py Tests/LatentStorageTests/Resources    (needs h5py)

numbers.h5     every type of numbers, each [3, 4]; what the values are is told in `numbers`
layouts.h5     every layout and filter, `values`, [8, 16]
others.h5      what is no array, or is elsewhere, beside one that is; links and names
latest.h5      the format of HDF5 1.10, behind a user block of 1024 bytes, with objects of 2.0
attributes.h5  attributes of all kinds
marked.h5      a file whose writer ended without closing it
family.h5      the first part of a file in several
deep.h5        groups 300 deep beside a dataset, and one at their end
netcdf.h5      as netCDF writes it: order of creation kept, dimensions as other objects
"""

import gzip
import os
import shutil
import sys
import tempfile

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

folder = sys.argv[1]
values = (np.arange(128, dtype="<f4") / 4).reshape(8, 16)


def create(name, **options):
    return h5py.File(os.path.join(folder, name), "w", **options)


def low_level(file, name, file_type, data, memory_type=None):
    """A dataset of a type that NumPy has no word for."""
    space = h5s.create_simple(data.shape)
    dataset = h5d.create(file.id, name.encode() if isinstance(name, str) else name, file_type, space)
    dataset.write(h5s.ALL, h5s.ALL, data, mtype=memory_type)


def integer(base, precision, offset, size):
    kind = base.copy()
    if size > kind.get_size():
        kind.set_size(size)
    kind.set_precision(precision)
    kind.set_offset(offset)
    kind.set_size(size)
    return kind


def enumeration(base, **members):
    kind = h5t.enum_create(base)
    for name, value in members.items():
        kind.enum_insert(name.encode(), value)
    return kind


def numbers():
    """Integers are -2...9 or 0...11; floats are these in eighths, with an infinity at the end."""
    signed = np.arange(-2, 10).reshape(3, 4)
    unsigned = np.arange(12).reshape(3, 4)
    halves = np.arange(-2, 10).reshape(3, 4) / 8
    halves[2, 3] = np.inf
    with create("numbers.h5") as file:
        for order, text in [("<", "le"), (">", "be")]:
            for size in [1, 2, 4, 8]:
                file[f"i{size}{text}"] = signed.astype(f"{order}i{size}")
                file[f"u{size}{text}"] = unsigned.astype(f"{order}u{size}")
                if size > 1:
                    file[f"f{size}{text}"] = halves.astype(f"{order}f{size}")
        file["f16"] = halves.astype(np.longdouble)
        quad = h5t.IEEE_F64LE.copy()
        quad.set_size(16)
        quad.set_precision(128)
        quad.set_fields(127, 112, 15, 0, 112)
        quad.set_ebias(16383)
        low_level(file, "quad", quad, halves.astype("<f8"), h5t.NATIVE_DOUBLE)
        eight = h5t.IEEE_F16LE.copy()
        eight.set_fields(7, 2, 5, 0, 2)
        eight.set_ebias(15)
        eight.set_size(1)
        low_level(file, "f1", eight, halves.astype("<f4"), h5t.NATIVE_FLOAT)
        bfloat = h5t.IEEE_F32LE.copy()
        bfloat.set_fields(15, 7, 8, 0, 7)
        bfloat.set_size(2)
        bfloat.set_ebias(127)
        low_level(file, "bf16", bfloat, halves.astype("<f4"), h5t.NATIVE_FLOAT)
        narrow = signed.astype("i8")
        low_level(file, "i12at3", integer(h5t.STD_I16LE, 12, 3, 2), narrow, h5t.NATIVE_INT64)
        low_level(file, "u5at2", integer(h5t.STD_U8LE, 5, 2, 1), unsigned.astype("u8"), h5t.NATIVE_UINT64)
        low_level(file, "i24", integer(h5t.STD_I32LE, 24, 0, 3), narrow, h5t.NATIVE_INT64)
        low_level(file, "i40be", integer(h5t.STD_I64BE, 40, 8, 8), narrow, h5t.NATIVE_INT64)
        low_level(file, "u56", integer(h5t.STD_U64LE, 56, 0, 7), unsigned.astype("u8"), h5t.NATIVE_UINT64)
        file["largest"] = np.array([[2**64 - 1, 2**31]], "<u8")
        file["smallest"] = np.array([[-(2**63)]], "<i8")
        truths = unsigned % 3 == 0
        file["boolean"] = truths
        bits = truths.astype("i1")
        wide = enumeration(h5t.STD_I32BE, FALSE=0, TRUE=1)
        low_level(file, "boolean32", wide, truths.astype(">i4"), wide)
        for name, kind in [
            ("reversed", enumeration(h5t.STD_I8LE, FALSE=1, TRUE=0)),
            ("lowercase", enumeration(h5t.STD_I8LE, false=0, true=1)),
            ("third", enumeration(h5t.STD_I8LE, FALSE=0, TRUE=1, MAYBE=2)),
            ("one", enumeration(h5t.STD_I8LE, FALSE=0)),
        ]:
            low_level(file, name, kind, bits, kind)
        flags = enumeration(h5t.STD_I8LE, NONE=-1, A=0, B=1, C=2)
        low_level(file, "flags", flags, (unsigned % 4 - 1).astype("i1"), flags)
        colours = enumeration(h5t.STD_U8LE, RED=0, GREEN=200)
        low_level(file, "colours", colours, (bits.astype("i4") * 200).astype("u1"), colours)
        sixteen = enumeration(h5t.STD_U16BE, A=0, B=60000)
        low_level(file, "enum16", sixteen, (bits.astype("i4") * 60000).astype(">u2"), sixteen)
        low_level(file, "bits8", h5t.STD_B8LE, unsigned.astype("u1"), h5t.STD_B8LE)
        low_level(file, "bits32be", h5t.STD_B32BE, unsigned.astype(">u4"), h5t.STD_B32BE)


def layouts():
    with create("layouts.h5") as file:
        def add(name, **options):
            return file.create_dataset(name, data=values, **options)

        add("contiguous")
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_layout(h5d.COMPACT)
        compact = h5d.create(file.id, b"compact", h5t.IEEE_F32LE, h5s.create_simple((8, 16)), plist)
        compact.write(h5s.ALL, h5s.ALL, values)
        add("chunked", chunks=(3, 5))
        add("extensible", chunks=(8, 16), maxshape=(None, 16))
        add("both", chunks=(3, 16), maxshape=(None, None), compression="gzip")
        add("gzip", chunks=(2, 16), compression="gzip")
        add("shuffle", chunks=(4, 16), compression="gzip", shuffle=True, fletcher32=True)
        add("szip", chunks=(4, 16), compression="szip")
        add("scaleoffset", chunks=(4, 16), scaleoffset=2)
        nbit = h5p.create(h5p.DATASET_CREATE)
        nbit.set_chunk((4, 16))
        nbit.set_filter(5, h5z.FLAG_OPTIONAL)
        small = integer(h5t.STD_I32LE, 17, 0, 4)
        dataset = h5d.create(file.id, b"nbit", small, h5s.create_simple((8, 16)), nbit)
        dataset.write(h5s.ALL, h5s.ALL, (values * 4).astype("<i4"))
        # Through a filter that few have, and past it, as for chunks that it does not shorten.
        file.create_dataset("lzf", data=values * 0, chunks=(4, 16), compression="lzf")
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((4, 16))
        plist.set_filter(32000, h5z.FLAG_OPTIONAL)
        passed = h5d.create(file.id, b"lzf_left_out", h5t.IEEE_F32LE, h5s.create_simple((8, 16)), plist)
        for row in [0, 4]:
            passed.write_direct_chunk((row, 0), values[row : row + 4].tobytes(), filter_mask=1)
        for name in ["blosc", "unheard"]:
            # Chunks that nobody will unpack: only their description matters.
            plist = h5p.create(h5p.DATASET_CREATE)
            plist.set_chunk((4, 16))
            plist.set_filter(32000, h5z.FLAG_OPTIONAL)
            dataset = h5d.create(file.id, name.encode(), h5t.IEEE_F32LE, h5s.create_simple((8, 16)), plist)
            dataset.write_direct_chunk((0, 0), b"abc")
        file.create_dataset("never", (8, 16), "<f4", fillvalue=-1.5)
        partly = file.create_dataset("partly", (8, 16), "<f4", chunks=(2, 16), fillvalue=0.75)
        partly[2:6] = values[2:6]
        file.create_dataset("huge", (1 << 24, 1 << 16), "<f4", chunks=(16, 1 << 16), fillvalue=3)
        # One number, 9 times 32 MiB, which two rounds of deflate bring down to next to nothing.
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((512, 16384))
        plist.set_deflate(9)
        plist.set_filter(1, h5z.FLAG_OPTIONAL, (9,))
        plist.set_alloc_time(h5d.ALLOC_TIME_EARLY)
        plist.set_fill_value(np.array(7, "<i4"))
        h5d.create(file.id, b"constant", h5t.STD_I32LE, h5s.create_simple((4608, 16384)), plist)
        file.create_dataset("rows0", (0, 16), "<f4")
        file.create_dataset("columns0", (8, 0), "<f4")
    # The numbers of filters that this h5py does not have, in place of lzf's.
    path = os.path.join(folder, "layouts.h5")
    with h5py.File(path, "r") as file:
        places = {name: h5py.h5o.get_info(file[name].id).addr for name in ["blosc", "unheard"]}
    contents = bytearray(open(path, "rb").read())
    for name, number in [("blosc", 32001), ("unheard", 31999)]:
        place = contents.index((32000).to_bytes(2, "little"), places[name])
        contents[place : place + 2] = number.to_bytes(2, "little")
        place = contents.index(b"lzf", place)
        contents[place : place + 3] = b"new"
    open(path, "wb").write(contents)


def others():
    with create("others.h5") as file:
        file["group/plain"] = values
        file["group/deeper/soft"] = h5py.SoftLink("../plain")
        file["soft"] = h5py.SoftLink("/group/plain")
        file["group/relative"] = h5py.SoftLink("deeper/again")
        file["group/deeper/again"] = h5py.SoftLink("/soft")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["round"] = h5py.SoftLink("/round")
        file["outside"] = h5py.ExternalLink("/etc/other.h5", "/images/x")
        file["hard"] = file["group/plain"]
        file["type"] = np.dtype("<f4")
        low_level(file, "of_named_type", file["type"].id, values)
        file["nine"] = values[:1, :1].reshape([1] * 9)
        file["eight"] = values[:1, :1].reshape([1] * 8)
        file["null"] = h5py.Empty("f")
        file["records"] = np.zeros(2, [("x", "<f4"), ("y", "<i4")])
        file["complex"] = np.zeros(2, "<c8")
        file["vlen"] = np.array([np.arange(2.0), np.arange(3.0)], dtype=object).astype(
            h5py.vlen_dtype("<f8"))
        file["texts"] = np.array([b"ab", b"c"])
        file.create_dataset("vlen_texts", data=["ab", "c"])
        file.create_dataset("references", data=[file.ref], dtype=h5py.ref_dtype)
        arrays = h5t.array_create(h5t.IEEE_F32LE, (3,))
        h5d.create(file.id, b"arrays", arrays, h5s.create_simple((2,)))
        file["opaque"] = np.array([b"abc", b"def"], "V3")
        low_level(file, "i16", integer(h5t.STD_I64LE, 128, 0, 16), np.zeros(2, "<i8"), h5t.NATIVE_INT64)
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_external(b"elsewhere.bin", 0, h5py.h5f.UNLIMITED)
        h5d.create(file.id, b"external", h5t.IEEE_F32LE, h5s.create_simple((8, 16)), plist)
        layout = h5py.VirtualLayout((8, 16), "<f4")
        layout[:] = h5py.VirtualSource("elsewhere.h5", "x", shape=(8, 16))
        file.create_virtual_dataset("virtual", layout)
        # Names are bytes: not UTF-8, and one text to Swift in two ways of writing it.
        file.create_group(b"\xff")
        for number, name in enumerate([
            b"caf\xe9", "caf\u00e9".encode(), "cafe\u0301".encode(), b"caf\\xe9", b"\xff/\xfe",
            b"a b", "\u00df\U0001f600".encode(), b"..",
        ]):
            low_level(file, name, h5t.IEEE_F32LE, np.full(2, number, "<f4"))


def attributes():
    with create("attributes.h5", libver=("v110", "v110")) as file:
        file["group/x"] = values
        file.attrs["made by"] = "h5py, für Größe"
        x = file["group/x"].attrs
        x["units"] = "mm"
        x["fixed"] = np.bytes_(b"ab c")
        for name, padding in [("padded", h5t.STR_SPACEPAD), ("terminated", h5t.STR_NULLTERM)]:
            kind = h5t.C_S1.copy()
            kind.set_size(8)
            kind.set_strpad(padding)
            text = b"metres  " if padding == h5t.STR_SPACEPAD else b"ab\0cd\0\0\0"
            attribute = h5py.h5a.create(file["group/x"].id, name.encode(), kind, h5s.create(h5s.SCALAR))
            attribute.write(np.array(text, "S8"), mtype=kind)
        x.create("utf8", "Größe".encode(), dtype=h5py.string_dtype("utf-8", 16))
        x.create("ascii", "plain", dtype=h5py.string_dtype("ascii"))
        x["nothing"] = ""
        x["names"] = ["eins", "zwei", "", "drei"]
        x["table"] = np.array([[b"a", b"bc"], [b"", b"d"]])
        x["int"] = 7
        x["large"] = 1 << 40
        x["larger"] = np.uint64(2**64 - 1)
        x["double"] = 0.1
        x["floats"] = np.arange(6, dtype="<f4").reshape(2, 3) / 2
        x["half"] = np.arange(3, dtype=">f2") / 2
        x["bytes"] = np.array([0, 255], "u1")
        x["truth"] = np.bool_(True)
        x["empty"] = np.zeros((0, 2), "<f8")
        x["null"] = h5py.Empty("f")
        x["complex"] = 1 + 2j
        x["reference"] = file.ref
        x["big"] = np.arange(20000, dtype="<i4") % 7
        file["group"].attrs["count"] = np.int32(3)
        for name, number in [(b"caf\xe9", 1), ("caf\u00e9".encode(), 2), ("cafe\u0301".encode(), 3)]:
            attribute = h5py.h5a.create(
                file["group"].id, name, h5t.STD_I32LE, h5s.create(h5s.SCALAR))
            attribute.write(np.array(number, "<i4"))
        kind = h5t.C_S1.copy()
        kind.set_size(4)
        attribute = h5py.h5a.create(file["group"].id, b"latin", kind, h5s.create(h5s.SCALAR))
        attribute.write(np.array(b"caf\xe9", "S4"), mtype=kind)


def latest():
    with create("latest.h5", libver=("v110", "v110"), userblock_size=1024) as file:
        file["x"] = values
        file.create_dataset("fixed", data=values, chunks=(3, 5))
        file.create_dataset("growing", data=values, chunks=(4, 16), maxshape=(None, 16), compression="gzip")
        file.create_dataset("tree", data=values, chunks=(4, 8), maxshape=(None, None))
        file.create_dataset("single", data=values, chunks=(8, 16), compression="gzip")
        file.create_dataset("implicit", (8, 16), "<f4", chunks=(4, 16))
        for number in range(40):
            file[f"many/{number}"] = np.full(2, number, "<f4")
    with h5py.File(os.path.join(folder, "latest.h5"), "a", libver="latest") as file:
        newer = file.create_group("newer")
        h5d.create(newer.id, b"complex", h5t.COMPLEX_IEEE_F32LE, h5s.create_simple((2,)))
        newer.create_dataset("layout", data=values, chunks=(4, 16), compression="gzip")


def marked():
    """Copied while it is open, as a process that is killed leaves it."""
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "x.h5")
        file = h5py.File(path, "w", libver="latest")
        file["x"] = values
        file.flush()
        shutil.copy(path, os.path.join(folder, "marked.h5"))
        file.close()


def family():
    with tempfile.TemporaryDirectory() as scratch:
        with h5py.File(os.path.join(scratch, "x%d.h5"), "w", driver="family", memb_size=4096) as file:
            file["x"] = np.zeros(2000, "<f4")
        shutil.copy(os.path.join(scratch, "x0.h5"), os.path.join(folder, "family.h5"))


def netcdf():
    with create("netcdf.h5", track_order=True) as file:
        lat = file.create_dataset("lat", data=np.arange(8, dtype="<f4"))
        lat.make_scale("lat")
        file.create_dataset("t", data=values).dims[0].attach_scale(lat)


def deep():
    with create("deep.h5", libver="latest") as file:
        file["wanted"] = values
        file["/".join(["g"] * 300) + "/x"] = values


numbers()
layouts()
others()
attributes()
latest()
marked()
family()
netcdf()
deep()

for name in os.listdir(folder):
    if name.endswith(".h5"):
        path = os.path.join(folder, name)
        with open(path, "rb") as file, open(path + ".gz", "wb") as packed:
            packed.write(gzip.compress(file.read(), mtime=0))
        os.remove(path)
