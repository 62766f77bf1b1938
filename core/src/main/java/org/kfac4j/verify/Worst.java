package org.kfac4j.verify;

/** The largest of several errors, and whose it is; NaN counts as larger than all. */
final class Worst {
  private final String kind;
  private double error;
  private String owner = "";
  private int count;

  /** Of layers. */
  Worst() {
    this("layer");
  }

  /**
   * @param kind what they are errors of, for tables
   */
  Worst(String kind) {
    this.kind = kind;
  }

  void add(String name, double each) {
    count++;
    if (count == 1 || (!Double.isNaN(error) && !(each <= error))) {
      error = each;
      owner = name;
    }
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** For tables: how many there were and which had the largest. */
  private String where() {
    return count == 1 ? kind + " " + owner : "%d %ss, worst %s".formatted(count, kind, owner);
  }

  Finding finding(String check, String compared, double tolerance) {
    return Finding.of(check, compared + "; " + where(), error, tolerance);
  }

  Finding info(String check, String compared) {
    return Finding.info(check, compared + "; " + where(), error);
  }
}
