package org.kfac4j.datasets;

import java.io.IOException;
import org.kfac4j.Check;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;

/**
 * The first examples of a source, with the ids they have there.
 *
 * @param size number of examples, from 1 to the source's size
 */
record FirstExamples(DataSource source, long size) implements DataSource {
  FirstExamples {
    Check.that(
        1 <= size && size <= source.size(),
        "%s: size must be in [1, %d], got %d",
        source.name(),
        source.size(),
        size);
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public ExampleShape shape() {
    return source.shape();
  }

  @Override
  public Examples read(long from, long to) throws IOException {
    Ranges.count(this, from, to);
    return source.read(from, to);
  }
}
