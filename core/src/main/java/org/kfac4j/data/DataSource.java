package org.kfac4j.data;

import java.io.IOException;
import java.io.Serializable;

/**
 * A finite sequence of examples that any range can be read from, so that it can be split into any
 * number of shards. Travels to executors: holds where the data is, not the data. Constructing one
 * checks what can be checked without reading everything.
 */
public interface DataSource extends Serializable {
  /** What the user calls it, for messages. */
  String name();

  ExampleShape shape();

  /** Number of examples; ids are 0 … size − 1. */
  long size();

  /**
   * Reads examples {@code from} (included) to {@code to} (excluded), in order, with these as ids.
   *
   * @throws org.kfac4j.InvalidInputException if the data breaks a rule: truncated, a label outside
   *     the classes, a value that is not finite
   */
  Examples read(long from, long to) throws IOException;
}
