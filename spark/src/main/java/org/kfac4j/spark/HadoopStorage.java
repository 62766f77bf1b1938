package org.kfac4j.spark;

import java.io.FileNotFoundException;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.kfac4j.data.Storage;

/**
 * Files of any Hadoop file system. Paths without a scheme are those of the default file system;
 * relative ones start where the process works that made this storage, also on executors, which work
 * elsewhere.
 */
public final class HadoopStorage implements Storage {
  private static final long serialVersionUID = 1L;

  private final SerializableConfiguration configuration;
  private final String directory;

  public HadoopStorage(Configuration configuration) {
    this.configuration = new SerializableConfiguration(configuration);
    this.directory = workingDirectory(configuration);
  }

  private static String workingDirectory(Configuration configuration) {
    try {
      return FileSystem.get(configuration).getWorkingDirectory().toString();
    } catch (IOException | IllegalArgumentException e) {
      return ""; // What is wrong with the default file system is said if a file of it is opened.
    }
  }

  private Path path(String uri) {
    Path path = new Path(uri);
    return path.toUri().getScheme() == null && !path.isUriPathAbsolute() && !directory.isEmpty()
        ? new Path(directory, path)
        : path;
  }

  @Override
  public InputStream open(String uri) throws IOException {
    Path path = path(uri);
    FileSystem files = files(path);
    if (!files.exists(path) || !files.getFileStatus(path).isFile()) {
      throw new FileNotFoundException("no such file: " + uri);
    }
    return files.open(path);
  }

  @Override
  public OutputStream create(String uri) throws IOException {
    Path path = path(uri);
    FSDataOutputStream stream = files(path).create(path, true);
    return new FilterOutputStream(stream) {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        stream.write(bytes, offset, length);
      }

      @Override
      public void flush() throws IOException {
        stream.hflush();
      }
    };
  }

  @Override
  public boolean exists(String uri) throws IOException {
    Path path = path(uri);
    return files(path).exists(path);
  }

  @Override
  public long length(String uri) throws IOException {
    Path path = path(uri);
    return files(path).getFileStatus(path).getLen();
  }

  @Override
  public List<String> list(String uri) throws IOException {
    Path path = path(uri);
    FileSystem files = files(path);
    if (!files.exists(path)) {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    for (FileStatus child : files.listStatus(path)) {
      names.add(child.getPath().getName());
    }
    names.sort(null);
    return names;
  }

  @Override
  public void delete(String uri) throws IOException {
    Path path = path(uri);
    files(path).delete(path, true);
  }

  /**
   * Local files without Hadoop's checksum files beside them, which would break {@code flush} and
   * clutter the user's folders.
   */
  private FileSystem files(Path path) throws IOException {
    FileSystem files = path.getFileSystem(configuration.value());
    return files instanceof LocalFileSystem local ? local.getRawFileSystem() : files;
  }
}
