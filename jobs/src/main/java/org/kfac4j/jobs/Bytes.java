package org.kfac4j.jobs;

import java.util.Locale;

/** Sizes of memory as people and Spark read them. */
final class Bytes {
  private static final double MIB = 1 << 20;
  private static final double GIB = 1 << 30;

  private Bytes() {}

  /** For example "12.3 MiB" or "4.0 GiB". */
  static String text(long bytes) {
    return bytes < GIB
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / MIB)
        : String.format(Locale.ROOT, "%.1f GiB", bytes / GIB);
  }

  /** As Spark's options take it, rounded up: "512m" or "6g". */
  static String flag(double bytes) {
    if (bytes > 4 * GIB) {
      return (long) Math.ceil(bytes / GIB) + "g";
    }
    return (long) (Math.ceil(Math.max(bytes, 512 * MIB) / MIB / 256) * 256) + "m";
  }
}
